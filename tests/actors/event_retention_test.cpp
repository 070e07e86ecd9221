// Whole days of events are forgotten while new ones come in.

#include "tests/actors/book_world.hpp"

using namespace muster;
using namespace muster::test;

TEST_CASE_FIXTURE(book_world, "whole days are forgotten by severity, while inserts go on") {
  const auto device = played_agent::random_id<device_id>();
  for (int i = 0; i < 200; ++i) {
    for (const auto how :
         {severity::info, severity::warning, severity::critical, severity::failure})
      store(device, how);
    now_us += day_us;
  }
  CHECK(days() == std::map<int, std::size_t>{{1, 200}, {2, 200}, {3, 200}, {4, 200}});
  const auto before = events().size();
  // Inserts before, amid and after what the tick does.
  sched.advance_time(1h);
  now_us += 3'600'000'000;
  store(device, severity::info);
  settle();
  store(device, severity::failure);
  // As many days before the present one as the rules say; and of that what came today.
  CHECK(days() == std::map<int, std::size_t>{{1, 31}, {2, 90}, {3, 180}, {4, 181}});
  CHECK(events().size() < before);
  CHECK(metric("days_erased_total") == std::to_string(170 + 110 + 20 + 20));
  pass_time(24h);
  CHECK(days() == std::map<int, std::size_t>{{1, 30}, {2, 89}, {3, 179}, {4, 180}});
  // Another start finds the same.
  pass_time(2s);
  lose_power();
  pass_time(24h);
  CHECK(days() == std::map<int, std::size_t>{{1, 29}, {2, 88}, {3, 178}, {4, 179}});
}

TEST_CASE_FIXTURE(book_world, "when events are too large together, the oldest days of the lowest "
                              "severity go, never the present one") {
  const auto device = played_agent::random_id<device_id>();
  for (int i = 0; i < 20; ++i) {
    store(device, severity::info, 10'000);
    store(device, severity::critical, 1'000);
    now_us += day_us;
  }
  now_us -= day_us;
  const auto restart = [&](std::uint64_t bytes_max) {
    retention = {fleet_limits::retention_days, bytes_max};
    kill_all();
    start();
    pass(1h); // the day goes on
  };
  restart(1'000'000);
  CHECK(days() == std::map<int, std::size_t>{{1, 20}, {3, 20}});
  restart(100'000);
  CHECK(days() == std::map<int, std::size_t>{{1, 7}, {3, 20}});
  CHECK(std::stoull(metric("kept_bytes")) <= 100'000);
  restart(20'000);
  CHECK(days() == std::map<int, std::size_t>{{1, 1}, {3, 8}});
  store(device, severity::info, 50'000);
  pass(1h);
  CHECK(days() == std::map<int, std::size_t>{{1, 1}, {3, 1}});
}

TEST_CASE_FIXTURE(book_world, "when the store refuses, events stay until the next look") {
  const auto device = played_agent::random_id<device_id>();
  store_and_wait(device, 40);
  db->fail_writes(storage::errc::disk_full);
  pass(1h);
  CHECK(days() == std::map<int, std::size_t>{{1, 2}, {4, 40}});
  db->fail_writes({});
  db->fail_reads(storage::errc::io_error);
  pass(1h);
  db->fail_reads({});
  CHECK(days() == std::map<int, std::size_t>{{1, 2}, {4, 40}});
  pass(1h);
  CHECK(days() == std::map<int, std::size_t>{{1, 1}, {4, 40}});
}

TEST_CASE_FIXTURE(book_world, "a full disk does not keep days from being erased") {
  const auto device = played_agent::random_id<device_id>();
  store_and_wait(device, 40);
  db->run_low(true);
  pass(1h);
  CHECK(days() == std::map<int, std::size_t>{{1, 1}, {4, 40}});
}

TEST_CASE_FIXTURE(book_world, "a clock that jumps years ahead does not have everything erased") {
  const auto device = played_agent::random_id<device_id>();
  store_and_wait(device, 40);
  pass(1h);
  CHECK(days() == std::map<int, std::size_t>{{1, 1}, {4, 40}});
  const auto right_us = now_us;
  now_us += 3'000 * day_us;
  store(device, severity::info); // with the wrong time
  pass(1h);
  CHECK(days() == std::map<int, std::size_t>{{1, 2}, {4, 40}});
  CHECK(metric("retention_days_behind") == "2999");

  SUBCASE("mended within hours, nothing has gone") {
    pass_hours(12);
    now_us = right_us;
    pass(1h);
    CHECK(days() == std::map<int, std::size_t>{{1, 2}, {4, 40}});
    CHECK(metric("retention_days_behind") == "0");
  }
  SUBCASE("it was right, and the server off: days go one an hour until all is caught up with") {
    pass_hours(29);
    CHECK(days() == std::map<int, std::size_t>{{1, 2}, {4, 40}});
    pass(1h);
    CHECK(days() == std::map<int, std::size_t>{{1, 1}, {4, 40}});
    pass_hours(190);
    CHECK(days() == std::map<int, std::size_t>{{1, 1}});
    CHECK(metric("retention_days_behind") == "0");
  }
  SUBCASE("a start with the wrong clock is as careful") {
    kill_all();
    start();
    pass_hours(20);
    CHECK(days() == std::map<int, std::size_t>{{1, 2}, {4, 40}});
  }
  SUBCASE("a store that is too large is made smaller all the same") {
    retention = {fleet_limits::retention_days, 1};
    kill_all();
    start();
    pass(1h);
    CHECK(days() == std::map<int, std::size_t>{{1, 1}});
  }
}

TEST_CASE_FIXTURE(book_world, "a clock that was set back erases nothing") {
  const auto device = played_agent::random_id<device_id>();
  store(device, severity::info);
  now_us -= 400 * day_us;
  pass(2h);
  CHECK(days() == std::map<int, std::size_t>{{1, 1}});
  now_us = 0;
  pass(2h);
  CHECK(days() == std::map<int, std::size_t>{{1, 1}});
}
