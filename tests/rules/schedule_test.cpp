#include "actors/rules/schedule.hpp"

#include "tests/rules/schedule_world.hpp"

#include <doctest/doctest.h>

#include <string>
#include <utility>
#include <vector>

using namespace muster::rules;
using namespace std::chrono_literals;
using muster::test::read;
using muster::test::zone;

namespace {

std::string problem_in(std::string_view text) {
  std::string problem;
  CHECK_FALSE_MESSAGE(schedule::parse(text, problem), text);
  return problem;
}

utc_seconds utc(std::string_view text) {
  return utc_seconds{local_from_text(text).value().time_since_epoch()};
}

/// The next few due times, in UTC, as text.
std::vector<std::string> walk(std::string_view text, std::string_view zone_name,
                              std::string_view after, std::size_t count) {
  const auto s = read(text);
  const auto z = zone(zone_name);
  std::vector<std::string> out;
  auto at = utc(after);
  while (out.size() < count) {
    const auto next = next_due(s, at, z);
    if (!next)
      break;
    out.push_back(local_text(local_seconds{next->time_since_epoch()}));
    at = *next;
  }
  return out;
}

using texts = std::vector<std::string>;

} // namespace

TEST_CASE("a zone is found by its name, and no name leads out of the folder of zones") {
  std::string problem;
  CHECK(zone("Europe/Berlin").name() == "Europe/Berlin");
  for (const auto* wrong :
       {"", "Europe", "Europe/Atlantis", "../../etc/passwd", "/etc/passwd", "a b", "UTC\n"})
    CHECK_FALSE_MESSAGE(time_zone::find(wrong, problem), wrong);
  CHECK_FALSE(time_zone::find(std::string(65, 'A'), problem));
  CHECK(time_zone::utc().to_utc(local_seconds{5s}) == utc_seconds{5s});
}

TEST_CASE("the rules of a zone go on when its file ends") {
  const auto berlin = zone("Europe/Berlin");
  for (const auto* summer : {"2026-07-01", "2037-07-01", "2038-07-01", "2090-07-01"})
    CHECK(berlin.stretch_at(utc(summer)).offset == 2h);
}

TEST_CASE("a time that clocks leave out is due when they are set forward") {
  CHECK(walk("daily at 02:30", "Europe/Berlin", "2026-03-27 12:00", 3) ==
        texts{"2026-03-28 01:30", "2026-03-29 01:00", "2026-03-30 00:30"});
  CHECK(walk("once 2026-03-29 02:30", "Europe/Berlin", "2026-01-01", 3) ==
        texts{"2026-03-29 01:00"});
  CHECK(walk("cron */20 2 * * *", "Europe/Berlin", "2026-03-28 12:00", 2) ==
        texts{"2026-03-29 01:00", "2026-03-30 00:00"});
  // Samoa had no 30 December in 2011.
  CHECK(walk("daily at 12:00", "Pacific/Apia", "2011-12-29 12:00", 3) ==
        texts{"2011-12-29 22:00", "2011-12-30 10:00", "2011-12-30 22:00"});
}

TEST_CASE("a time that clocks show twice is due once") {
  CHECK(walk("daily at 02:30", "Europe/Berlin", "2026-10-24 12:00", 2) ==
        texts{"2026-10-25 00:30", "2026-10-26 01:30"});
  CHECK(walk("cron */30 2 * * *", "Europe/Berlin", "2026-10-24 12:00", 3) ==
        texts{"2026-10-25 00:00", "2026-10-25 00:30", "2026-10-26 01:00"});
}

TEST_CASE("what is for every hour goes by the time that passes") {
  CHECK(walk("cron 30 * * * *", "Europe/Berlin", "2026-10-24 23:45", 4) ==
        texts{"2026-10-25 00:30", "2026-10-25 01:30", "2026-10-25 02:30", "2026-10-25 03:30"});
  CHECK(walk("cron 30 * * * *", "Europe/Berlin", "2026-03-29 00:00", 2) ==
        texts{"2026-03-29 00:30", "2026-03-29 01:30"});
  CHECK(walk("every 45 minutes", "Europe/Berlin", "2026-03-29 00:00", 2) ==
        texts{"2026-03-29 00:45", "2026-03-29 01:30"});
}

TEST_CASE("a day that a month does not have is its last one") {
  CHECK(walk("monthly 31 at 12:00", "UTC", "2028-01-31 12:00", 4) ==
        texts{"2028-02-29 12:00", "2028-03-31 12:00", "2028-04-30 12:00", "2028-05-31 12:00"});
  CHECK(walk("monthly 29 at 12:00", "UTC", "2027-01-30", 2) ==
        texts{"2027-02-28 12:00", "2027-03-29 12:00"});
}

TEST_CASE("cron expressions mean what cron means") {
  CHECK(walk("cron 0 0 29 2 *", "UTC", "2097-01-01", 1) == texts{"2104-02-29 00:00"});
  CHECK(walk("cron 0 0 13 * fri", "UTC", "2026-11-01", 3) ==
        texts{"2026-11-06 00:00", "2026-11-13 00:00", "2026-11-20 00:00"});
  CHECK(walk("cron 0 0 */2 * fri", "UTC", "2026-11-01", 2) ==
        texts{"2026-11-13 00:00", "2026-11-27 00:00"});
  CHECK(walk("cron @weekly", "UTC", "2026-11-24", 1) == texts{"2026-11-29 00:00"});
  CHECK(walk("cron 5 4 * jan,JUL 7", "UTC", "2026-11-24", 1) == texts{"2027-01-03 04:05"});
  CHECK(walk("cron 59 23 31 12 *", "UTC", "2026-12-31 23:59", 1) == texts{"2027-12-31 23:59"});
}

TEST_CASE("schedules are read as people write them and written the same way") {
  for (const auto* text :
       {"now", "once 2026-12-01 03:00", "once 2026-12-01 03:00:15", "every 15 minutes",
        "every 2 hours", "every 90 minutes from 2026-12-01 03:00", "every 3 days at 03:00",
        "daily at 23:59", "every 3 days at 03:00 from 2026-12-01",
        "every 1 days at 03:00 from 2026-12-01", "weekly mon,thu at 03:00",
        "weekly sat,sun at 00:00", "monthly 30 at 03:00", "monthly last at 03:00", "at start",
        "after refresh-lists", "cron 30 3 * * mon-fri", "cron @daily"}) {
    CHECK(read(text).text() == text);
    CHECK(read(read(text).text()) == read(text));
  }
  CHECK(read("monthly 31 at 03:00").text() == "monthly last at 03:00");
  CHECK(read("  every   60  minutes ").text() == "every 1 hours");
  CHECK(read("once 2026-12-01").text() == "once 2026-12-01 00:00");
  CHECK(read("cron  0 3  * * *").text() == "cron 0 3 * * *");
  CHECK_FALSE(read("at start").is_timed());
  CHECK_FALSE(next_due(read("now"), {}, time_zone::utc()));
}

TEST_CASE("what is no schedule is refused with a clause that helps") {
  const std::pair<const char*, const char*> wrong[] = {
    {"", "one of now"},
    {"sometimes", "one of now"},
    {"at midnight", "one of now"},
    {"now please", "'please'"},
    {"once tomorrow", "2026-12-01"},
    {"once 2026-02-30 03:00", "2026-12-01"},
    {"once 2026-12-01 24:00", "2026-12-01"},
    {"once 2026-12-01 3:00", "2026-12-01"},
    {"once 1969-12-31", "2026-12-01"},
    {"every 0 minutes", "1 to"},
    {"every 600000 minutes", "1 to"},
    {"every 367 days at 03:00", "1 to 366"},
    {"every -1 minutes", "it is written"},
    {"every 5 weeks", "it is written"},
    {"every 5 days", "time of day"},
    {"every 5 minutes until x", "from"},
    {"every 2 days at 03:00 from 2026-12-01 03:00", "without a time"},
    {"daily 03:00", "time of day"},
    {"daily at 3", "time of day"},
    {"daily at 03:00:00", "time of day"},
    {"weekly at 03:00", "weekdays"},
    {"weekly mon, at 03:00", "weekdays"},
    {"monthly 0 at 03:00", "1 to 31"},
    {"monthly 32 at 03:00", "1 to 31"},
    {"after", "name"},
    {"cron", "five fields"},
    {"cron * * * *", "five fields"},
    {"cron 60 * * * *", "no minute"},
    {"cron * 24 * * *", "no hour"},
    {"cron * * 0 * *", "no day"},
    {"cron * * * 13 *", "no month"},
    {"cron * * * * 8", "no day of the week"},
    {"cron 5-1 * * * *", "no minute"},
    {"cron */0 * * * *", "no minute"},
    {"cron 5/2 * * * *", "no minute"},
    {"cron 1, * * * *", "no minute"},
    {"cron 0 0 31 feb *", "no such day"},
    {"cron @reboot", "@hourly"},
    {"daily at 03:00\nnow", "one line"}};
  for (const auto& [text, part] : wrong)
    CHECK_MESSAGE(problem_in(text).find(part) != std::string::npos,
                  (std::string{text} + ": " + problem_in(text)));
  CHECK(problem_in(std::string(401, 'x')).find("400") != std::string::npos);
  CHECK(problem_in("cron " + std::string(300, '*')).find("256") != std::string::npos);
}
