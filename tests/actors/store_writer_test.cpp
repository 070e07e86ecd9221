// The writer and the disk: what shares a commit, who is answered what and when.

#include "tests/actors/store_writer_world.hpp"

#include <doctest/doctest.h>

#include <chrono>

using namespace muster;
using namespace muster::test;
using namespace std::chrono_literals;

TEST_CASE_FIXTURE(writer_world,
                  "changes that arrive together share one sync and all are answered") {
  auto one = begin_put("a", durability::command);
  auto two = begin_put("b", durability::fact);
  auto three = begin_put("c", durability::command);
  settle();
  CHECK(take<caf::ok_atom>(one));
  CHECK(take<caf::ok_atom>(two));
  CHECK(take<caf::ok_atom>(three));
  CHECK(db.writes() == 1);
  CHECK(db.syncs() == 1);
  CHECK(has(*db.after_power_loss(), "b"));
}

TEST_CASE_FIXTURE(writer_world, "a command is on the disk when it is answered") {
  std::size_t answered_before_sync = 0;
  db.on_sync([&] { answered_before_sync += self->has_next_message() ? 1U : 0U; });
  auto one = begin_put("a", durability::command);
  settle();
  CHECK(take<caf::ok_atom>(one));
  CHECK(answered_before_sync == 0);
  CHECK(has(*db.after_power_loss(), "a"));
}

TEST_CASE_FIXTURE(writer_world,
                  "facts are answered at once and safe within a second, by one sync") {
  for (const auto* key : {"a", "b", "c"}) {
    auto pending = begin_put(key, durability::fact);
    settle();
    CHECK(take<caf::ok_atom>(pending));
  }
  CHECK(db.syncs() == 0);
  CHECK_FALSE(has(*db.after_power_loss(), "a"));
  pass(999ms);
  CHECK(db.syncs() == 0);
  pass(1ms);
  CHECK(db.syncs() == 1);
  CHECK(has(*db.after_power_loss(), "c"));
  pass(10s);
  CHECK(db.syncs() == 1);
}

TEST_CASE_FIXTURE(writer_world,
                  "a command takes the facts before it along, and their timer finds nothing") {
  auto fact = begin_put("a", durability::fact);
  settle();
  auto command = begin_put("b", durability::command);
  settle();
  CHECK(take<caf::ok_atom>(fact));
  CHECK(take<caf::ok_atom>(command));
  CHECK(has(*db.after_power_loss(), "a"));
  pass(5s);
  CHECK(db.syncs() == 1);
  // And the timer is armed again by the next fact.
  auto again = begin_put("c", durability::fact);
  settle();
  CHECK(take<caf::ok_atom>(again));
  pass(1s);
  CHECK(db.syncs() == 2);
}

TEST_CASE_FIXTURE(writer_world, "a full batch is committed without waiting for the mailbox") {
  auto small = options();
  small.batch_bytes_max = 1000;
  writer = host(storage::store_writer, small);
  std::vector<decltype(begin_put("", durability::command))> waiting;
  for (int i = 0; i < 10; ++i)
    waiting.push_back(begin_put("k" + std::to_string(i), durability::command, 300));
  settle();
  for (auto& one : waiting)
    CHECK(take<caf::ok_atom>(one));
  CHECK(db.writes() == 3); // 4 + 4 + 2
  CHECK(db.keys(family::meta) == 10);
}

TEST_CASE_FIXTURE(writer_world,
                  "a full disk is told to all who shared the commit, and the next may work") {
  db.fail_writes(storage::errc::disk_full);
  auto one = begin_put("a", durability::command);
  auto two = begin_put("b", durability::fact);
  auto three = begin_ask(writer, atom::append_v, frozen(events(device(1), {}, 7, 1, 3)));
  settle();
  CHECK(is(take<caf::ok_atom>(one).error(), storage::errc::disk_full));
  CHECK(is(take<caf::ok_atom>(two).error(), storage::errc::disk_full));
  CHECK(is(take<append_result>(three).error(), storage::errc::disk_full));
  CHECK(metric("disk_full") == "1");
  CHECK(ask<event_position>(writer, atom::position_v, device(1)) == event_position{});
  db.fail_writes({});
  const auto stored =
    ask<append_result>(writer, atom::append_v, frozen(events(device(1), {}, 7, 1, 3)));
  CHECK(stored.stored);
  CHECK(metric("disk_full") == "0");
  CHECK(metric("failed_commits_total") == "1");
  CHECK(sequences(db) == std::vector<std::uint64_t>{1, 2, 3});
}

TEST_CASE_FIXTURE(writer_world, "on a full disk, what erases and what is urgent is committed apart from "
                                "those who are refused") {
  REQUIRE(try_ask<caf::ok_atom>(writer, atom::put_v, change("old"), durability::command));
  db.run_low(true);
  const auto erasing = std::make_shared<const storage::change_batch>(
    storage::change_batch{storage::erase(family::meta, "old")});
  auto common = begin_put("a", durability::command);
  auto urgent = begin_put("b", durability::urgent);
  auto appended = begin_ask(writer, atom::append_v, frozen(events(device(1), {}, 7, 1, 3)));
  auto erased = begin_ask(writer, atom::put_v, erasing, durability::fact);
  auto late = begin_put("c", durability::fact);
  settle();
  CHECK(take<caf::ok_atom>(urgent));
  CHECK(take<caf::ok_atom>(erased));
  CHECK(is(take<caf::ok_atom>(common).error(), storage::errc::disk_full));
  CHECK(is(take<caf::ok_atom>(late).error(), storage::errc::disk_full));
  CHECK(is(take<append_result>(appended).error(), storage::errc::disk_full));
  CHECK(has(*db.after_power_loss(), "b"));
  CHECK_FALSE(has(*db.after_power_loss(), "old"));
  CHECK_FALSE(has(db, "a"));
  CHECK_FALSE(has(db, "c"));
  CHECK(sequences(db).empty());
  CHECK(metric("last_room_commits_total") == "1");

  SUBCASE("that it works does not mean that there is room") {
    CHECK(metric("disk_full") == "1");
    CHECK(try_ask<caf::ok_atom>(writer, atom::put_v, erasing, durability::fact));
    CHECK(try_ask<caf::ok_atom>(writer, atom::put_v, change("d"), durability::urgent));
    CHECK(metric("disk_full") == "1");
    db.run_low(false);
    CHECK(try_ask<caf::ok_atom>(writer, atom::put_v, erasing, durability::fact));
    CHECK(metric("disk_full") == "1"); // nobody has tried
    CHECK(try_ask<caf::ok_atom>(writer, atom::put_v, change("e"), durability::fact));
    CHECK(metric("disk_full") == "0");
  }
  SUBCASE("an erasure that is a fact is synced within a second, though others are refused") {
    REQUIRE(try_ask<caf::ok_atom>(writer, atom::put_v, change("x"), durability::urgent));
    const auto more = std::make_shared<const storage::change_batch>(
      storage::change_batch{storage::erase(family::meta, "x")});
    auto again = begin_ask(writer, atom::put_v, more, durability::fact);
    auto refused = begin_put("f", durability::command);
    settle();
    CHECK(take<caf::ok_atom>(again));
    CHECK_FALSE(take<caf::ok_atom>(refused));
    CHECK(has(*db.after_power_loss(), "x"));
    pass(1s);
    CHECK_FALSE(has(*db.after_power_loss(), "x"));
  }
  SUBCASE("and when there is no room at all, these are refused, too") {
    db.fail_writes(storage::errc::disk_full);
    CHECK(is(try_ask<caf::ok_atom>(writer, atom::put_v, change("g"), durability::urgent).error(),
             storage::errc::disk_full));
  }
}

TEST_CASE_FIXTURE(writer_world, "whoever watches is told when commits fail, and when they work again") {
  std::vector<std::error_code> told;
  const auto watch = [&] {
    return host(
      [](disk_watcher_actor::pointer, std::vector<std::error_code>* notes)
        -> disk_watcher_actor::behavior_type {
        return {[notes](atom::failed, std::error_code ec) { notes->push_back(ec); }};
      },
      &told);
  };
  const auto put = [&] {
    return static_cast<bool>(
      try_ask<caf::ok_atom>(writer, atom::put_v, change("a"), durability::command));
  };
  const std::error_code full = storage::errc::disk_full;
  self->send(writer, atom::watch_v, watch());
  CHECK(put());
  CHECK(told.empty());
  db.fail_writes(full);
  CHECK_FALSE(put());
  CHECK_FALSE(put());
  settle();
  CHECK(told == std::vector{full});
  self->send(writer, atom::watch_v, watch()); // comes in the middle of it
  settle();
  CHECK(told == std::vector{full, full});
  db.fail_writes({});
  CHECK(put());
  settle();
  CHECK(told == std::vector{full, full, std::error_code{}});
}

TEST_CASE_FIXTURE(writer_world, "an I/O error is answered and the writer goes on") {
  db.fail_next_writes(1, storage::errc::io_error);
  CHECK(is(try_ask<caf::ok_atom>(writer, atom::put_v, change("a"), durability::command).error(),
           storage::errc::io_error));
  CHECK(try_ask<caf::ok_atom>(writer, atom::put_v, change("a"), durability::command));
}

TEST_CASE_FIXTURE(writer_world, "a failed sync is told to all, and the writer ends with it") {
  db.fail_next_writes(1, storage::errc::sync_failed);
  self->monitor(writer);
  auto one = begin_put("a", durability::command);
  auto two = begin_put("b", durability::command);
  settle();
  CHECK(is(take<caf::ok_atom>(one).error(), storage::errc::sync_failed));
  CHECK(is(take<caf::ok_atom>(two).error(), storage::errc::sync_failed));
  bool down = false;
  self->receive([&](const caf::down_msg& why) {
    down = true;
    CHECK(is(why.reason, storage::errc::sync_failed));
  });
  CHECK(down);
  CHECK_FALSE(try_ask<caf::ok_atom>(writer, atom::put_v, change("c"), durability::command));
}

TEST_CASE_FIXTURE(writer_world, "facts that cannot be synced end the writer too") {
  self->monitor(writer);
  auto one = begin_put("a", durability::fact);
  settle();
  CHECK(take<caf::ok_atom>(one));
  db.fail_writes(storage::errc::sync_failed);
  pass(1s);
  bool down = false;
  self->receive([&](const caf::down_msg& why) {
    down = true;
    CHECK(is(why.reason, storage::errc::sync_failed));
  });
  CHECK(down);
}

TEST_CASE_FIXTURE(writer_world,
                  "a stop commits what was accepted, facts included, and answers it") {
  auto early = begin_put("early", durability::fact);
  settle();
  auto one = begin_put("a", durability::command);
  auto two = begin_ask(writer, atom::append_v, frozen(events(device(1), {}, 7, 1, 2)));
  stop(writer);
  CHECK(take<caf::ok_atom>(early));
  CHECK(take<caf::ok_atom>(one));
  CHECK(take<append_result>(two)->stored);
  CHECK_FALSE(alive(writer));
  CHECK(has(*db.after_power_loss(), "a"));
  CHECK(has(*db.after_power_loss(), "early"));
}

TEST_CASE_FIXTURE(writer_world, "a stop with facts alone syncs them") {
  auto fact = begin_put("a", durability::fact);
  settle();
  CHECK(take<caf::ok_atom>(fact));
  stop(writer);
  CHECK(has(*db.after_power_loss(), "a"));
}

TEST_CASE_FIXTURE(writer_world, "a kill leaves nobody without an answer") {
  auto one = begin_put("a", durability::command);
  auto two = begin_ask(writer, atom::append_v, frozen(events(device(1), {}, 7, 1, 2)));
  // A step is a message here: both requests are accepted, the commit is still in the mailbox.
  sched.run_once();
  sched.run_once();
  auto three = begin_put("b", durability::command);
  self->send<caf::message_priority::high>(caf::actor_cast<caf::actor>(writer),
                                          caf::exit_msg{self->address(), caf::exit_reason::kill});
  settle();
  CHECK(text_of(take<caf::ok_atom>(one).error()) == "the store's writer was killed");
  CHECK(text_of(take<append_result>(two).error()) == "the store's writer was killed");
  CHECK_FALSE(take<caf::ok_atom>(three));
  CHECK_FALSE(alive(writer));
  CHECK(db.writes() == 0);
}
