#include "actors/rules/schedule_due.hpp"

#include <doctest/doctest.h>

#include <cstdlib>
#include <random>
#include <set>

using namespace muster::rules;
using namespace std::chrono_literals;

namespace {

utc_seconds utc(std::string_view text) {
  return utc_seconds{local_from_text(text).value().time_since_epoch()};
}

schedule read(std::string_view text) {
  std::string problem;
  return schedule::parse(text, problem).value();
}

device_id device(std::uint8_t number) {
  device_id out;
  out.bytes[15] = number;
  return out;
}

due_decision at(std::string_view schedule_text, schedule_options options, std::string_view handled,
                std::string_view now, bool running = false) {
  return decide(read(schedule_text), options, device(1), "task", utc(handled), utc(now), running,
                time_zone::utc());
}

} // namespace

TEST_CASE("a spread is the same for the same run and differs between devices, tasks and runs") {
  const auto due = utc("2026-12-01 03:00");
  std::set<std::chrono::seconds> devices;
  std::chrono::seconds sum{0};
  for (int i = 0; i < 250; ++i) {
    const auto one = spread_of(device(static_cast<std::uint8_t>(i)), "task", due, 1h);
    CHECK(one >= 0s);
    CHECK(one < 1h);
    CHECK(one == spread_of(device(static_cast<std::uint8_t>(i)), "task", due, 1h));
    devices.insert(one);
    sum += one;
  }
  CHECK(devices.size() > 200);
  CHECK(std::abs(sum.count() / 250 - 1800) < 250);
  CHECK(spread_of(device(1), "task", due, 1h) != spread_of(device(1), "other", due, 1h));
  CHECK(spread_of(device(1), "task", due, 1h) != spread_of(device(1), "task", due + 24h, 1h));
  CHECK(spread_of(device(1), "task", due, 0s) == 0s);
  // Devices keep it over releases: this number must never change.
  CHECK(spread_of(device(1), "task", due, 1h) == 1279s);
}

TEST_CASE("before its time a task waits, at its time it starts, and it starts once") {
  auto d = at("daily at 03:00", {}, "2026-12-01 03:00", "2026-12-02 02:59");
  CHECK(d.verdict == due_verdict::wait);
  CHECK(d.next_start == utc("2026-12-02 03:00"));
  d = at("daily at 03:00", {}, "2026-12-01 03:00", "2026-12-02 03:00");
  CHECK(d.verdict == due_verdict::start);
  CHECK_FALSE(d.late);
  CHECK(d.due == utc("2026-12-02 03:00"));
  CHECK(d.next_start == utc("2026-12-03 03:00"));
  CHECK(at("daily at 03:00", {}, "2026-12-02 03:00", "2026-12-02 03:00").verdict ==
        due_verdict::wait);
  // A clock that went back.
  CHECK(at("daily at 03:00", {}, "2026-12-02 03:00", "2026-12-01 03:00").verdict ==
        due_verdict::wait);
}

TEST_CASE("a run whose time passed unused is missed, or starts late when it may") {
  auto d = at("daily at 03:00", {}, "2026-12-01 03:00", "2026-12-04 09:00");
  CHECK(d.verdict == due_verdict::missed);
  CHECK(d.due == utc("2026-12-04 03:00"));
  CHECK(d.skipped == 2);
  d = at("daily at 03:00", {.run_if_missed = true}, "2026-12-01 03:00", "2026-12-04 09:00");
  CHECK(d.verdict == due_verdict::start);
  CHECK(d.late);
  CHECK(d.skipped == 2);
  CHECK(at("daily at 03:00", {}, "2026-12-01 03:00", "2026-12-02 03:01").verdict ==
        due_verdict::start);
  CHECK(at("once 2026-12-01 03:00", {}, "2026-11-01", "2026-12-02").verdict == due_verdict::missed);
  CHECK_FALSE(at("once 2026-12-01 03:00", {}, "2026-12-01 03:00", "2026-12-02").next_start);
}

TEST_CASE("a run that is due while the one before has not ended is given up") {
  const auto d = at("every 5 minutes", {}, "2026-12-01 03:00", "2026-12-01 03:05", true);
  CHECK(d.verdict == due_verdict::overlap);
  CHECK(d.due == utc("2026-12-01 03:05"));
}

TEST_CASE("with a spread a run starts that much later, and is not late for it") {
  const schedule_options options{.spread = 1h};
  const auto due = utc("2026-12-02 03:00");
  const auto start = due + spread_of(device(1), "task", due, 1h);
  const auto look = [&](utc_seconds now) {
    return decide(read("daily at 03:00"), options, device(1), "task", utc("2026-12-01 03:00"), now,
                  false, time_zone::utc());
  };
  CHECK(look(start - 1s).verdict == due_verdict::wait);
  CHECK(look(start - 1s).next_start == start);
  CHECK(look(start).verdict == due_verdict::start);
  CHECK_FALSE(look(start + 60s).late);
  CHECK(look(start + 61s).verdict == due_verdict::missed);
}

TEST_CASE("a device that slept for years decides at once") {
  const auto d = at("every 1 minutes", {}, "2020-01-01", "2026-12-01 12:00");
  CHECK(d.verdict == due_verdict::start);
  CHECK(d.due == utc("2026-12-01 12:00"));
  CHECK(d.skipped == skipped_max);
}

TEST_CASE("walking through time, every run is started or counted as missed, and none twice") {
  std::mt19937 random{13};
  for (int round = 0; round < 60; ++round) {
    const auto s = read(round % 2 == 0 ? "every 7 minutes" : "cron */10 1-20 * * *");
    const schedule_options options{.spread = std::chrono::minutes{random() % 3 * 9},
                                   .run_if_missed = random() % 2 == 0};
    const auto begin = utc("2026-12-01");
    auto handled = begin;
    std::size_t accounted = 0;
    std::size_t starts = 0;
    auto now = begin;
    while (now < begin + 48h) {
      now += std::chrono::seconds{random() % 900};
      const auto d =
        decide(s, options, device(2), "t", handled, now, random() % 9 == 0, time_zone::utc());
      if (d.verdict == due_verdict::wait) {
        REQUIRE(d.next_start);
        REQUIRE(*d.next_start > now);
        continue;
      }
      REQUIRE(d.due > handled);
      REQUIRE(d.due <= now);
      accounted += 1 + d.skipped;
      starts += d.verdict == due_verdict::start ? 1 : 0;
      handled = d.due;
    }
    std::size_t all = 0;
    for (auto due = next_due(s, begin, time_zone::utc()); due && *due <= handled;
         due = next_due(s, *due, time_zone::utc()))
      ++all;
    REQUIRE(accounted == all);
    REQUIRE(starts > 5);
  }
}
