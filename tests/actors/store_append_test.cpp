// The writer and the positions of devices: an event is stored once, in order, or not at all.

#include "tests/actors/store_writer_world.hpp"

#include <doctest/doctest.h>

#include <array>
#include <vector>

using namespace muster;
using namespace muster::test;

TEST_CASE_FIXTURE(writer_world, "events are stored behind the device's position and nowhere else") {
  const auto first =
    ask<append_result>(writer, atom::append_v, frozen(events(device(1), {}, 7, 1, 5)));
  CHECK(first.stored);
  CHECK(first.position == event_position{7, 5});
  CHECK(first.received_us == now_us);
  CHECK(ask<event_position>(writer, atom::position_v, device(1)) == event_position{7, 5});

  // The same again, as a half-open predecessor would send it.
  const auto again =
    ask<append_result>(writer, atom::append_v, frozen(events(device(1), {}, 7, 1, 5)));
  CHECK_FALSE(again.stored);
  CHECK(again.position == event_position{7, 5});

  const auto next =
    ask<append_result>(writer, atom::append_v, frozen(events(device(1), {7, 5}, 9, 1, 1)));
  CHECK(next.stored);
  CHECK(next.position == event_position{9, 1});
  CHECK(sequences(db) == std::vector<std::uint64_t>{1, 2, 3, 4, 5, 1});
  CHECK(ask<event_position>(writer, atom::position_v, device(2)) == event_position{});
  CHECK(metric("appends_moved_total") == "1");
}

TEST_CASE_FIXTURE(writer_world,
                  "two appends behind the same position: one is stored, the other learns why") {
  auto one = begin_ask(writer, atom::append_v, frozen(events(device(1), {}, 7, 1, 3)));
  auto two = begin_ask(writer, atom::append_v, frozen(events(device(1), {}, 7, 1, 3)));
  settle();
  CHECK(take<append_result>(one)->stored);
  const auto second = take<append_result>(two);
  REQUIRE(second);
  CHECK_FALSE(second->stored);
  // Not before the disk has it: the answer is where the device really is now.
  CHECK(second->position == event_position{7, 3});
  CHECK(db.writes() == 1);
  CHECK(sequences(db) == std::vector<std::uint64_t>{1, 2, 3});
}

TEST_CASE_FIXTURE(writer_world, "appends may follow each other within one commit") {
  auto one = begin_ask(writer, atom::append_v, frozen(events(device(1), {}, 7, 1, 3)));
  auto two = begin_ask(writer, atom::append_v, frozen(events(device(1), {7, 3}, 7, 4, 6)));
  settle();
  CHECK(take<append_result>(one)->stored);
  CHECK(take<append_result>(two)->stored);
  CHECK(db.writes() == 1);
  CHECK(ask<event_position>(writer, atom::position_v, device(1)) == event_position{7, 6});
}

TEST_CASE_FIXTURE(writer_world,
                  "when their commit fails, appends leave no trace, not even in the position") {
  db.fail_next_writes(1, storage::errc::disk_full);
  auto one = begin_ask(writer, atom::append_v, frozen(events(device(1), {}, 7, 1, 3)));
  auto two = begin_ask(writer, atom::append_v, frozen(events(device(1), {7, 3}, 7, 4, 6)));
  auto rival = begin_ask(writer, atom::append_v, frozen(events(device(1), {}, 7, 1, 1)));
  settle();
  CHECK(is(take<append_result>(one).error(), storage::errc::disk_full));
  CHECK(is(take<append_result>(two).error(), storage::errc::disk_full));
  CHECK(is(take<append_result>(rival).error(), storage::errc::disk_full));
  CHECK(ask<event_position>(writer, atom::position_v, device(1)) == event_position{});
  CHECK(ask<append_result>(writer, atom::append_v, frozen(events(device(1), {}, 7, 1, 3))).stored);
}

TEST_CASE_FIXTURE(writer_world,
                  "a position is asked for while its commit is slow: only the disk counts") {
  event_position seen{1, 1};
  db.on_sync([&] {
    std::error_code ec;
    const auto key = storage::keys::position(device(1).bytes);
    CHECK_FALSE(db.after_power_loss()->get(family::devices, key, ec).has_value());
  });
  auto append = begin_ask(writer, atom::append_v, frozen(events(device(1), {}, 7, 1, 3)));
  auto position = begin_ask(writer, atom::position_v, device(1));
  settle();
  // Answered before the commit that stands behind it in the mailbox.
  seen = *take<event_position>(position);
  CHECK(seen == event_position{});
  CHECK(take<append_result>(append)->stored);
}

TEST_CASE_FIXTURE(writer_world,
                  "another writer finds position and time where the last one left them") {
  now_us += 1'000'000;
  CHECK(ask<append_result>(writer, atom::append_v, frozen(events(device(1), {}, 7, 1, 3))).stored);
  const auto last = now_us;
  stop(writer);
  now_us -= 5'000'000; // the clock was set back meanwhile
  writer = host(storage::store_writer, options());
  CHECK(ask<event_position>(writer, atom::position_v, device(1)) == event_position{7, 3});
  const auto next =
    ask<append_result>(writer, atom::append_v, frozen(events(device(1), {7, 3}, 7, 4, 4)));
  CHECK(next.stored);
  CHECK(next.received_us == last + 1);
}

TEST_CASE_FIXTURE(writer_world, "receive times are unique and grow, whatever the clock does") {
  std::int64_t last = 0;
  event_position at;
  for (std::uint64_t i = 1; i <= 20; ++i) {
    now_us += i % 3 == 0 ? -1000 : static_cast<std::int64_t>(i % 2);
    const auto stored =
      ask<append_result>(writer, atom::append_v, frozen(events(device(1), at, 7, i, i)));
    REQUIRE(stored.stored);
    CHECK(stored.received_us > last);
    last = stored.received_us;
    at = stored.position;
  }
}

TEST_CASE_FIXTURE(writer_world,
                  "the writer remembers few positions and finds the others in the store") {
  auto small = options();
  small.positions_max = 4;
  writer = host(storage::store_writer, small);
  for (std::uint8_t i = 1; i <= 50; ++i)
    CHECK(
      ask<append_result>(writer, atom::append_v, frozen(events(device(i), {}, 7, 1, i))).stored);
  for (std::uint8_t i = 1; i <= 50; ++i) {
    CHECK(ask<event_position>(writer, atom::position_v, device(i)) == event_position{7, i});
    CHECK(ask<append_result>(writer, atom::append_v,
                             frozen(events(device(i), {7, i}, 7, i + 1U, i + 1U)))
            .stored);
  }
}

TEST_CASE_FIXTURE(writer_world, "a position that cannot be read is an error, not a beginning") {
  db.fail_reads(storage::errc::io_error);
  CHECK(is(try_ask<event_position>(writer, atom::position_v, device(1)).error(),
           storage::errc::io_error));
  CHECK(is(
    try_ask<append_result>(writer, atom::append_v, frozen(events(device(1), {}, 7, 1, 1))).error(),
    storage::errc::io_error));
  db.fail_reads({});
  const storage::change_batch damage{
    storage::put(family::devices, storage::keys::position(device(1).bytes), "\x01\x05")};
  REQUIRE_FALSE(db.write_sync({&damage, 1}));
  CHECK(is(
    try_ask<append_result>(writer, atom::append_v, frozen(events(device(1), {}, 7, 1, 1))).error(),
    storage::errc::corrupt));
}

TEST_CASE_FIXTURE(writer_world, "a removed device begins anew") {
  CHECK(ask<append_result>(writer, atom::append_v, frozen(events(device(1), {}, 7, 1, 3))).stored);
  const auto erase = std::make_shared<const storage::change_batch>(storage::change_batch{
    storage::erase(family::devices, storage::keys::position(device(1).bytes))});
  CHECK(try_ask<caf::ok_atom>(writer, atom::put_v, change_batch_ptr{erase}, durability::command));
  self->send(writer, atom::remove_v, device(1));
  CHECK(ask<event_position>(writer, atom::position_v, device(1)) == event_position{});
}

TEST_CASE_FIXTURE(writer_world, "appends that make no sense are refused") {
  const auto refused = [&](std::shared_ptr<event_append> what) {
    const auto answer = try_ask<append_result>(writer, atom::append_v, frozen(std::move(what)));
    return !answer && text_of(answer.error()).size() > 10;
  };
  CHECK(refused(events(device(1), {}, 7, 2, 1))); // none
  CHECK(refused(events(device(1), {}, 7, 0, 1))); // sequence 0
  CHECK(refused(events(device(1), {7, 5}, 7, 5, 6)));
  auto back = events(device(1), {}, 7, 1, 3);
  std::swap(back->events[0], back->events[2]);
  CHECK(refused(back));
  auto strange = events(device(1), {}, 7, 1, 1);
  strange->events[0].severity = static_cast<severity>(0);
  CHECK(refused(strange));
  strange->events[0].severity = static_cast<severity>(5);
  CHECK(refused(strange));
  CHECK(refused(events(device(1), {}, 7, 1, storage::limits::append_events_max + 1)));
  CHECK(db.writes() == 0);
}

TEST_CASE_FIXTURE(writer_world, "what somebody else says of a device moves that one's position") {
  CHECK(ask<append_result>(writer, atom::append_v, frozen(events(device(1), {}, 7, 1, 5))).stored);
  auto of_the_server = events(device(1), {}, 9, 1, 2);
  of_the_server->numbered_by = device_id{};
  CHECK(ask<append_result>(writer, atom::append_v, frozen(of_the_server)).stored);
  CHECK(ask<event_position>(writer, atom::position_v, device(1)) == event_position{7, 5});
  CHECK(ask<event_position>(writer, atom::position_v, device_id{}) == event_position{9, 2});
  // Another writer finds the same on the disk.
  stop(writer);
  writer = host(storage::store_writer, options());
  CHECK(ask<event_position>(writer, atom::position_v, device(1)) == event_position{7, 5});
  CHECK(ask<event_position>(writer, atom::position_v, device_id{}) == event_position{9, 2});
}

TEST_CASE_FIXTURE(writer_world, "many devices in one commit: each one's last position counts") {
  constexpr std::array<std::uint8_t, 4> devices{9, 3, 200, 1};
  std::vector<decltype(begin_ask(writer, atom::append_v, frozen(nullptr)))> waiting;
  const auto append = [&](std::uint8_t fill, std::uint64_t from, bool by_the_server) {
    auto what = events(device(fill), {}, 7, from, from);
    if (from > 1)
      what->after = {7, from - 1};
    if (by_the_server)
      what->numbered_by = device_id{};
    waiting.push_back(begin_ask(writer, atom::append_v, frozen(what)));
  };
  std::uint64_t of_the_server = 0;
  for (std::uint64_t from = 1; from <= 3; ++from)
    for (const auto fill : devices) {
      append(fill, from, false);
      append(static_cast<std::uint8_t>(250 - fill), ++of_the_server, true);
    }
  settle();
  for (auto& one : waiting)
    CHECK(take<append_result>(one)->stored);
  CHECK(db.writes() == 1);
  stop(writer);
  writer = host(storage::store_writer, options());
  for (const auto fill : devices)
    CHECK(ask<event_position>(writer, atom::position_v, device(fill)) == event_position{7, 3});
  CHECK(ask<event_position>(writer, atom::position_v, device_id{}) == event_position{7, 12});
}

TEST_CASE_FIXTURE(writer_world, "what is erased behind an append stays erased, in one commit too") {
  auto stored = begin_ask(writer, atom::append_v, frozen(events(device(1), {}, 7, 1, 3)));
  const auto erase = std::make_shared<const storage::change_batch>(storage::change_batch{
    storage::erase(family::devices, storage::keys::position(device(1).bytes))});
  auto erased = begin_ask(writer, atom::put_v, change_batch_ptr{erase}, durability::command);
  settle();
  CHECK(take<append_result>(stored)->stored);
  CHECK(take<caf::ok_atom>(erased));
  CHECK(db.writes() == 1);
  std::error_code ec;
  CHECK_FALSE(db.get(family::devices, storage::keys::position(device(1).bytes), ec));
}

TEST_CASE_FIXTURE(writer_world, "prepared or not, an append is stored and judged alike") {
  auto ready = events(device(1), {}, 7, 1, 3);
  storage::prepare(*ready);
  REQUIRE_FALSE(ready->encoded.empty());
  CHECK(ask<append_result>(writer, atom::append_v, frozen(ready)).stored);
  CHECK(ask<append_result>(writer, atom::append_v, frozen(events(device(2), {}, 7, 1, 3))).stored);
  CHECK(sequences(db) == std::vector<std::uint64_t>{1, 2, 3, 1, 2, 3});
  auto back = events(device(3), {7, 3}, 7, 2, 3);
  storage::prepare(*back);
  CHECK_FALSE(try_ask<append_result>(writer, atom::append_v, frozen(back)));
}
