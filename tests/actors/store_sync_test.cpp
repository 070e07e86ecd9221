// Writing and syncing overlap: what is promised while the disk is busy.

#include "tests/actors/store_writer_world.hpp"

#include <doctest/doctest.h>

#include <chrono>
#include <string>
#include <vector>

using namespace muster;
using namespace muster::test;
using namespace std::chrono_literals;

namespace {

struct busy_disk : writer_world {
  /// A command has been written; the log_syncer has been asked and has not yet run.
  auto begin_a_sync(const std::string& key) {
    auto pending = begin_put(key, durability::command);
    while (db.writes() == 0)
      sched.run_once();
    REQUIRE(db.syncs() == 0);
    return pending;
  }
  /// The writer looks through its mailbox; nobody else does anything.
  void let_writer_work() {
    while (sched.prioritize(writer))
      sched.run_once();
    REQUIRE(db.syncs() == 0);
  }

  event_position position_now() {
    auto question = begin_ask(writer, atom::position_v, device(1));
    let_writer_work();
    return *take<event_position>(question);
  }
};

} // namespace

TEST_CASE_FIXTURE(
  busy_disk,
  "what comes while the disk is busy is answered by the next sync, and not by this one") {
  auto first = begin_a_sync("a");
  auto second = begin_put("b", durability::command);
  auto third = begin_put("c", durability::fact);
  let_writer_work();
  CHECK(db.writes() == 1); // little waits for company
  CHECK_FALSE(self->has_next_message());
  CHECK_FALSE(has(*db.after_power_loss(), "a"));
  settle();
  CHECK(take<caf::ok_atom>(first));
  CHECK(take<caf::ok_atom>(second));
  CHECK(take<caf::ok_atom>(third));
  CHECK(db.writes() == 2);
  CHECK(db.syncs() == 2);
  CHECK(has(*db.after_power_loss(), "c"));
}

TEST_CASE_FIXTURE(busy_disk,
                  "much of it is written at once, and answered after a sync of its own") {
  auto first = begin_a_sync("a");
  auto append = begin_ask(writer, atom::append_v, frozen(events(device(1), {}, 7, 1, 3000)));
  let_writer_work();
  CHECK(db.writes() == 2);
  CHECK_FALSE(self->has_next_message());
  // Whatever a reader finds in the store already: it may still be lost.
  CHECK(position_now() == event_position{});
  settle();
  CHECK(take<caf::ok_atom>(first));
  CHECK(take<append_result>(append)->stored);
  CHECK(db.syncs() == 2);
  CHECK(ask<event_position>(writer, atom::position_v, device(1)) == event_position{7, 3000});
}

TEST_CASE_FIXTURE(busy_disk, "an append behind one that is not yet synced is stored behind it; a "
                             "rival learns where that ends") {
  auto one = begin_ask(writer, atom::append_v, frozen(events(device(1), {}, 7, 1, 3)));
  while (db.writes() == 0)
    sched.run_once();
  auto two = begin_ask(writer, atom::append_v, frozen(events(device(1), {7, 3}, 7, 4, 6)));
  auto rival = begin_ask(writer, atom::append_v, frozen(events(device(1), {}, 7, 1, 1)));
  let_writer_work();
  CHECK_FALSE(self->has_next_message());
  settle();
  CHECK(take<append_result>(one)->position == event_position{7, 3});
  CHECK(take<append_result>(two)->position == event_position{7, 6});
  const auto learnt = take<append_result>(rival);
  CHECK_FALSE(learnt->stored);
  CHECK(learnt->position == event_position{7, 6});
  CHECK(sequences(*db.after_power_loss()) == std::vector<std::uint64_t>{1, 2, 3, 4, 5, 6});
}

TEST_CASE_FIXTURE(
  busy_disk, "when a commit is refused, what was written before it stays, in the position too") {
  auto one = begin_ask(writer, atom::append_v, frozen(events(device(1), {}, 7, 1, 3)));
  while (db.writes() == 0)
    sched.run_once();
  db.fail_writes(storage::errc::disk_full);
  auto two = begin_ask(writer, atom::append_v, frozen(events(device(1), {7, 3}, 7, 4, 6)));
  settle();
  CHECK(take<append_result>(one)->stored);
  CHECK(is(take<append_result>(two).error(), storage::errc::disk_full));
  CHECK(ask<event_position>(writer, atom::position_v, device(1)) == event_position{7, 3});
  db.fail_writes({});
  CHECK(
    ask<append_result>(writer, atom::append_v, frozen(events(device(1), {7, 3}, 7, 4, 6))).stored);
}

TEST_CASE_FIXTURE(busy_disk,
                  "a failed sync refuses whoever waits: for it, for the next one, for a commit") {
  self->monitor(writer);
  auto first = begin_a_sync("a");
  auto written = begin_ask(writer, atom::append_v, frozen(events(device(1), {}, 7, 1, 3000)));
  let_writer_work();
  auto gathered = begin_put("b", durability::command);
  let_writer_work();
  db.fail_writes(storage::errc::sync_failed);
  settle();
  CHECK(is(take<caf::ok_atom>(first).error(), storage::errc::sync_failed));
  CHECK(is(take<append_result>(written).error(), storage::errc::sync_failed));
  CHECK(is(take<caf::ok_atom>(gathered).error(), storage::errc::sync_failed));
  bool down = false;
  self->receive([&](const caf::down_msg& why) {
    down = true;
    CHECK(is(why.reason, storage::errc::sync_failed));
  });
  CHECK(down);
  CHECK_FALSE(has(*db.after_power_loss(), "a"));
}

TEST_CASE_FIXTURE(busy_disk, "a stop while the disk is busy waits for it, and answers all") {
  auto first = begin_a_sync("a");
  auto gathered = begin_ask(writer, atom::append_v, frozen(events(device(1), {}, 7, 1, 3)));
  auto fact = begin_put("b", durability::fact);
  stop(writer);
  CHECK(take<caf::ok_atom>(first));
  CHECK(take<append_result>(gathered)->stored);
  CHECK(take<caf::ok_atom>(fact));
  CHECK_FALSE(alive(writer));
  CHECK(has(*db.after_power_loss(), "b"));
  CHECK(sequences(*db.after_power_loss()) == std::vector<std::uint64_t>{1, 2, 3});
}

TEST_CASE_FIXTURE(busy_disk, "a kill while the disk is busy leaves nobody without an answer") {
  auto first = begin_a_sync("a");
  auto written = begin_ask(writer, atom::append_v, frozen(events(device(1), {}, 7, 1, 3000)));
  let_writer_work();
  self->send<caf::message_priority::high>(caf::actor_cast<caf::actor>(writer),
                                          caf::exit_msg{self->address(), caf::exit_reason::kill});
  let_writer_work();
  settle();
  CHECK(text_of(take<caf::ok_atom>(first).error()) == "the store's writer was killed");
  CHECK(text_of(take<append_result>(written).error()) == "the store's writer was killed");
}

TEST_CASE_FIXTURE(busy_disk, "facts that come while the disk is busy are safe within a second") {
  auto first = begin_a_sync("a");
  std::vector<decltype(begin_put("", durability::fact))> facts;
  for (std::size_t i = 0; i < storage::limits::overlapping_changes; ++i)
    facts.push_back(begin_put("f" + std::to_string(i), durability::fact));
  let_writer_work();
  CHECK(db.writes() == 2);
  for (auto& one : facts)
    CHECK(take<caf::ok_atom>(one));
  settle();
  CHECK(take<caf::ok_atom>(first));
  CHECK(db.syncs() == 1);
  pass(1s);
  CHECK(db.syncs() == 2);
  CHECK(has(*db.after_power_loss(), "f0"));
}
