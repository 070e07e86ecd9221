#include "actors/rules/schedule.hpp"

#include <algorithm>

namespace muster::rules {

namespace {

using namespace std::chrono_literals;
using std::chrono::days;
using std::chrono::floor;
using std::chrono::local_days;
using std::chrono::sys_days;
using std::chrono::year_month_day_last;

std::optional<utc_seconds> next_every(const schedule& s, utc_seconds after, const time_zone& zone) {
  const auto anchor = s.from ? zone.to_utc(s.at) : utc_seconds{};
  const std::chrono::seconds period = std::chrono::minutes{s.count};
  if (after < anchor)
    return anchor;
  return anchor + ((after - anchor) / period + 1) * period;
}

/// Goes through the days that a predicate names until one's time is behind `after`.
template <class HasDay>
std::optional<utc_seconds> next_day(const schedule& s, utc_seconds after, const time_zone& zone,
                                    local_days from, days ahead, HasDay has_day) {
  for (auto day = from; day <= from + ahead; day += days{1})
    if (has_day(day))
      if (const auto at = zone.to_utc(day + s.time_of_day); at > after)
        return at;
  return std::nullopt;
}

bool is_day_of_month(local_days day, unsigned wanted) noexcept {
  const std::chrono::year_month_day date{day};
  const auto last =
    year_month_day_last{date.year(), std::chrono::month_day_last{date.month()}}.day();
  return static_cast<unsigned>(date.day()) == std::min(wanted, static_cast<unsigned>(last));
}

} // namespace

bool schedule::is_timed() const noexcept {
  return kind != schedule_kind::now && kind != schedule_kind::agent_start &&
         kind != schedule_kind::after_task;
}

std::optional<utc_seconds> next_due(const schedule& s, utc_seconds after, const time_zone& zone) {
  // From the day before: a zone that leaves a whole day out has due times on it, too.
  const auto today = floor<days>(zone.to_local(after)) - days{1};
  switch (s.kind) {
  case schedule_kind::now:
  case schedule_kind::agent_start:
  case schedule_kind::after_task:
    return std::nullopt;
  case schedule_kind::once: {
    const auto at = zone.to_utc(s.at);
    return at > after ? std::optional{at} : std::nullopt;
  }
  case schedule_kind::every:
    return next_every(s, after, zone);
  case schedule_kind::every_days: {
    const auto first = s.from ? floor<days>(s.at) : local_days{};
    return next_day(s, after, zone, std::max(first, today), days{s.count + 2},
                    [&](local_days day) { return (day - first).count() % s.count == 0; });
  }
  case schedule_kind::weekly:
    return next_day(s, after, zone, today, days{9}, [&](local_days day) {
      return (s.weekdays >> std::chrono::weekday{day}.c_encoding() & 1) != 0;
    });
  case schedule_kind::monthly:
    return next_day(s, after, zone, today, days{64},
                    [&](local_days day) { return is_day_of_month(day, s.day); });
  case schedule_kind::cron:
    return s.expression->next(after, zone);
  }
  return std::nullopt;
}

} // namespace muster::rules
