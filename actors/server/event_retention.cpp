#include "actors/server/event_retention.hpp"

#include "actors/server/fleet_limits.hpp"
#include "storage/keys.hpp"

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

namespace muster::actors {

namespace {

namespace keys = storage::keys;
using storage::family;

std::uint8_t severity_of(std::size_t index) {
  return static_cast<std::uint8_t>(index + 1);
}

struct day {
  std::uint32_t number = 0;
  std::uint64_t bytes = 0;
};

/// The first day with events, not before `from`.
std::error_code next_day(const storage::store& db, std::size_t index, std::uint32_t from,
                         std::optional<std::uint32_t>& out) {
  out.reset();
  const storage::key_range range{keys::events(severity_of(index), from, from).lower,
                                 keys::events(severity_of(index)).upper};
  return db.scan(family::events, range, false, [&](auto key, auto) {
    if (const auto parsed = keys::parse_event(key))
      out = parsed->bucket;
    return !out;
  });
}

/// All days with events, oldest first, and about how large each is.
std::error_code days_of(const storage::store& db, std::size_t index, std::uint32_t from,
                        std::vector<day>& out) {
  std::optional<std::uint32_t> found;
  while (out.size() < fleet_limits::days_max) {
    if (const auto ec = next_day(db, index, from, found))
      return ec;
    if (!found)
      break;
    const auto next = *found + 1;
    out.push_back(
      {*found, db.measure(family::events, keys::events(severity_of(index), *found, next)) +
                 db.measure(family::index, keys::device_events(severity_of(index), *found, next))});
    from = next;
    if (next == 0)
      break; // the last day there is
  }
  return {};
}

using days_by_severity = std::array<std::vector<day>, event_severities>;

/// The last day before the first gap; `today` when there are no days at all.
std::uint32_t last_without_gap(const days_by_severity& all, std::uint32_t today) {
  std::vector<std::uint32_t> numbers;
  for (const auto& days : all)
    for (const auto& one : days)
      numbers.push_back(one.number);
  if (numbers.empty())
    return today;
  std::sort(numbers.begin(), numbers.end());
  numbers.push_back(std::max(today, numbers.back()));
  const auto gap =
    std::adjacent_find(numbers.begin(), numbers.end(), [](std::uint32_t a, std::uint32_t b) {
      return b - a > fleet_limits::retention_gap_days;
    });
  return gap == numbers.end() ? numbers.back() : *gap;
}

} // namespace

std::error_code plan_retention(const storage::store& db, const retention_rules& rules,
                               std::uint32_t today, const std::optional<std::uint32_t>& last_day,
                               const retention_marks& gone, retention_plan& out) {
  out = {};
  days_by_severity kept;
  for (std::size_t i = 0; i < event_severities; ++i)
    if (const auto ec = days_of(db, i, gone[i], kept[i]))
      return ec;
  out.day = std::min(today, std::max(last_day ? *last_day + 1 : 0, last_without_gap(kept, today)));
  for (std::size_t i = 0; i < event_severities; ++i) {
    auto& days = kept[i];
    out.first_kept[i] = std::max(gone[i], out.day > rules.days[i] ? out.day - rules.days[i] : 0);
    out.oldest[i] = days.empty() ? out.first_kept[i] : days.front().number;
    const auto first = std::find_if(
      days.begin(), days.end(), [&](const day& one) { return one.number >= out.first_kept[i]; });
    out.days_gone += static_cast<std::uint64_t>(first - days.begin());
    days.erase(days.begin(), first);
    for (const auto& one : days)
      out.bytes_kept += one.bytes;
  }
  for (std::size_t i = 0; i < event_severities; ++i) {
    for (const auto& one : kept[i]) {
      if (rules.bytes_max == 0 || out.bytes_kept <= rules.bytes_max || one.number >= today)
        break;
      out.first_kept[i] = one.number + 1;
      out.bytes_kept -= one.bytes;
      ++out.days_gone;
    }
  }
  return {};
}

storage::change_batch retention_changes(const retention_plan& plan) {
  storage::change_batch out;
  for (std::size_t i = 0; i < event_severities; ++i) {
    if (plan.oldest[i] >= plan.first_kept[i])
      continue;
    for (auto& [where, range] :
         {std::pair{family::events,
                    keys::events(severity_of(i), plan.oldest[i], plan.first_kept[i])},
          std::pair{family::index,
                    keys::device_events(severity_of(i), plan.oldest[i], plan.first_kept[i])}})
      out.push_back(storage::erase_range(where, range.lower, range.upper));
  }
  return out;
}

} // namespace muster::actors
