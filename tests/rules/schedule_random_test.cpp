#include "actors/rules/schedule.hpp"

#include "tests/rules/schedule_world.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <random>
#include <set>
#include <vector>

using namespace muster::rules;
using namespace std::chrono_literals;
using std::chrono::days;
using std::chrono::minutes;
using muster::test::read;
using muster::test::zone;

namespace {

utc_seconds utc(std::string_view text) {
  return utc_seconds{local_from_text(text).value().time_since_epoch()};
}

/// Every minute of a stretch of time as clocks of a zone show it. What is due is found by looking
/// at each.
class plain_calendar {
public:
  struct minute {
    utc_seconds at;
    local_seconds shown;
    bool first = true; ///< clocks have not shown this before
    std::vector<local_seconds>
      left_out{}; ///< what they would have shown, had they not been set forward
  };

  plain_calendar(const time_zone& z, utc_seconds from, days length) {
    std::set<local_seconds> seen;
    auto before = z.to_local(from - 1min);
    for (auto at = from - days{2}; at < from + length; at += 1min) {
      minute m{at, z.to_local(at)};
      m.first = seen.insert(m.shown).second;
      for (auto gone = before + 1min; at > from - days{2} && gone < m.shown; gone += 1min)
        m.left_out.push_back(gone);
      before = m.shown;
      if (at >= from)
        minutes_.push_back(std::move(m));
    }
  }

  /// Due by what clocks show: once for each time of day.
  template <class Pattern>
  std::vector<utc_seconds> by_clock(Pattern pattern) const {
    std::vector<utc_seconds> out;
    for (const auto& m : minutes_) {
      bool due = m.first && pattern(m.shown);
      for (const auto gone : m.left_out)
        due = due || pattern(gone);
      if (due)
        out.push_back(m.at);
    }
    return out;
  }

  template <class Pattern>
  std::vector<utc_seconds> by_time(Pattern pattern) const {
    std::vector<utc_seconds> out;
    for (const auto& m : minutes_)
      if (pattern(m))
        out.push_back(m.at);
    return out;
  }

  std::size_t size() const { return minutes_.size(); }

private:
  std::vector<minute> minutes_;
};

long day_of(local_seconds at) {
  return std::chrono::floor<days>(at).time_since_epoch().count();
}
long minute_of(local_seconds at) {
  return (at - std::chrono::floor<days>(at)) / 1min;
}
unsigned day_of_month(long day) {
  return static_cast<unsigned>(std::chrono::year_month_day{std::chrono::sys_days{days{day}}}.day());
}

class randomness {
public:
  explicit randomness(unsigned seed) : random_(seed) {}
  unsigned below(unsigned bound) { return static_cast<unsigned>(random_() % bound); }

  /// A cron field and the numbers it stands for.
  std::pair<std::string, std::set<unsigned>> field(unsigned least, unsigned most) {
    std::set<unsigned> numbers;
    const auto add = [&](unsigned first, unsigned last, unsigned step) {
      for (auto n = first; n <= last; n += step)
        numbers.insert(n);
    };
    switch (below(5)) {
    case 0:
      add(least, most, 1);
      return {"*", numbers};
    case 1: {
      const auto step = 1 + below(most);
      add(least, most, step);
      return {"*/" + std::to_string(step), numbers};
    }
    case 2: {
      const auto first = least + below(most - least + 1);
      const auto last = first + below(most - first + 1);
      const auto step = 1 + below(3);
      add(first, last, step);
      return {std::to_string(first) + "-" + std::to_string(last) + "/" + std::to_string(step),
              numbers};
    }
    default: {
      std::string text;
      for (auto n = 1 + below(3); n > 0; --n) {
        const auto one = least + below(most - least + 1);
        numbers.insert(one);
        text += (text.empty() ? "" : ",") + std::to_string(one);
      }
      return {text, numbers};
    }
    }
  }

private:
  std::mt19937 random_;
};

/// A schedule, and the times at which a calendar has it.
std::pair<schedule, std::vector<utc_seconds>> random_schedule(randomness& random,
                                                              const plain_calendar& calendar,
                                                              const time_zone& z,
                                                              utc_seconds about) {
  const auto time =
    random.below(2) == 0 ? random.below(24 * 60) : random.below(4) * 60 + random.below(60);
  const auto clock = std::string{time < 600 ? "0" : ""} + std::to_string(time / 60) +
                     (time % 60 < 10 ? ":0" : ":") + std::to_string(time % 60);
  const auto from =
    z.to_local(about - minutes{random.below(20 * 24 * 60)} + minutes{random.below(20 * 24 * 60)});
  switch (random.below(6)) {
  case 0: {
    const auto count = 1 + random.below(random.below(2) == 0 ? 60 : 3'000);
    const bool given = random.below(2) == 0;
    const auto anchor = given ? z.to_utc(from) : utc_seconds{};
    return {read("every " + std::to_string(count) + " minutes" +
                 (given ? " from " + local_text(from) : "")),
            calendar.by_time([&](const auto& m) {
              return m.at >= anchor && (m.at - anchor) % minutes{count} == 0s;
            })};
  }
  case 1: {
    const auto count = 1 + random.below(9);
    const bool given = random.below(2) == 0;
    const auto first = given ? day_of(from) : 0;
    return {read("every " + std::to_string(count) + " days at " + clock +
                 (given ? " from " + local_text(from).substr(0, 10) : "")),
            calendar.by_clock([&](local_seconds at) {
              return minute_of(at) == time && day_of(at) >= first &&
                     (day_of(at) - first) % count == 0;
            })};
  }
  case 2: {
    static const char* const names[] = {"thu", "fri", "sat", "sun",
                                        "mon", "tue", "wed"}; // 1970-01-01 was a Thursday
    const auto one = random.below(7);
    const auto two = random.below(7);
    return {read(std::string{"weekly "} + names[one] + "," + names[two] + " at " + clock),
            calendar.by_clock([&](local_seconds at) {
              return minute_of(at) == time && (day_of(at) % 7 == one || day_of(at) % 7 == two);
            })};
  }
  case 3: {
    const auto day = random.below(2) == 0 ? 28 + random.below(4) : 1 + random.below(31);
    return {read("monthly " + std::to_string(day) + " at " + clock),
            calendar.by_clock([&](local_seconds at) {
              const auto here = day_of_month(day_of(at));
              const bool last = day_of_month(day_of(at) + 1) == 1;
              return minute_of(at) == time && (here == day || (last && here < day));
            })};
  }
  case 4: {
    return {read("once " + local_text(from)),
            calendar.by_clock([&](local_seconds at) { return at == from; })};
  }
  default: {
    const auto minute = random.field(0, 59);
    const auto hour = random.field(0, 23);
    const auto day = random.field(1, 31);
    const auto month = random.field(1, 12);
    const auto weekday = random.field(0, 7);
    const auto text =
      minute.first + " " + hour.first + " " + day.first + " " + month.first + " " + weekday.first;
    const auto matches = [=](local_seconds at) {
      const std::chrono::year_month_day date{std::chrono::floor<days>(at)};
      const auto dow = static_cast<unsigned>((day_of(at) + 4) % 7);
      const bool by_day = day.second.contains(static_cast<unsigned>(date.day()));
      const bool by_weekday =
        weekday.second.contains(dow) || (dow == 0 && weekday.second.contains(7));
      const bool either = day.first[0] != '*' && weekday.first[0] != '*';
      return minute.second.contains(static_cast<unsigned>(minute_of(at) % 60)) &&
             hour.second.contains(static_cast<unsigned>(minute_of(at) / 60)) &&
             month.second.contains(static_cast<unsigned>(date.month())) &&
             (either ? by_day || by_weekday : by_day && by_weekday);
    };
    std::string problem;
    const auto s = schedule::parse("cron " + text, problem);
    if (!s) { // 31 February and the like
      REQUIRE(problem == "there is no such day in any year");
      REQUIRE(calendar.by_clock(matches).empty());
      return {read("now"), {}};
    }
    const bool every_hour = hour.second.size() == 24;
    return {*s, every_hour ? calendar.by_time([&](const auto& m) { return matches(m.shown); })
                           : calendar.by_clock(matches)};
  }
  }
}

} // namespace

TEST_CASE(
  "a stretch of a zone ends where its offset changes, and local time never goes back in UTC") {
  randomness random{11};
  for (const auto* name : {"Europe/Berlin", "America/New_York", "Australia/Lord_Howe",
                           "Asia/Kolkata", "Pacific/Apia"}) {
    const auto z = zone(name);
    for (int round = 0; round < 200; ++round) {
      const auto at = utc("2005-01-01") + minutes{random.below(60 * 24 * 365 * 30)};
      const auto stretch = z.stretch_at(at);
      CHECK(z.to_local(at).time_since_epoch() - at.time_since_epoch() == stretch.offset);
      if (stretch.until == utc_seconds::max())
        continue;
      CHECK(stretch.until > at);
      CHECK(z.stretch_at(stretch.until - 1s).offset == stretch.offset);
      CHECK(z.stretch_at(stretch.until).offset != stretch.offset);
      auto before = z.to_utc(z.to_local(stretch.until) - 26h);
      for (auto local = z.to_local(stretch.until) - 26h; local < z.to_local(stretch.until) + 3h;
           local += 10min) {
        CHECK(z.to_utc(local) >= before);
        before = z.to_utc(local);
      }
    }
  }
}

TEST_CASE("random schedules in random zones are due as a look at every minute says") {
  randomness random{12};
  static const char* const zones[] = {
    "Europe/Berlin",       "America/New_York", "America/Sao_Paulo", "UTC",
    "Australia/Lord_Howe", "Pacific/Apia",     "Asia/Kathmandu",    "Africa/Casablanca"};
  std::size_t compared = 0;
  for (int round = 0; round < 24; ++round) {
    const auto z = zone(zones[round % 8]);
    // Near a change of clocks, if the zone has one.
    auto about = utc("2011-06-01") + days{random.below(10 * 365)};
    if (const auto until = z.stretch_at(about).until;
        until < utc("2040-01-01") && random.below(4) != 0)
      about = until;
    about = std::chrono::floor<minutes>(about);
    const auto begin = about - days{20} - minutes{random.below(20 * 24 * 60)};
    const plain_calendar calendar{z, begin, days{45}};
    for (int many = 0; many < 12; ++many) {
      const auto [s, expected] = random_schedule(random, calendar, z, about);
      auto at = begin - 1s;
      for (std::size_t i = 0; i < expected.size() && i < 400; ++i) {
        const auto next = next_due(s, at, z);
        INFO(s.text() << " in " << z.name() << " after "
                      << local_text(local_seconds{at.time_since_epoch()}));
        REQUIRE(next == expected[i]);
        at = *next;
        ++compared;
      }
      for (int probe = 0; probe < 20 && s.is_timed(); ++probe) {
        const auto after =
          begin + minutes{random.below(45 * 24 * 60)} + std::chrono::seconds{random.below(60)};
        const auto first = std::upper_bound(expected.begin(), expected.end(), after);
        const auto next = next_due(s, after, z);
        INFO(s.text() << " in " << z.name() << " after "
                      << local_text(local_seconds{after.time_since_epoch()}));
        if (first != expected.end())
          REQUIRE(next == *first);
        else
          REQUIRE((!next || *next >= begin + days{45}));
      }
    }
  }
  CHECK(compared > 5'000);
}
