#pragma once
// When a task is due: the times themselves, how they are written, and what comes next.

#include "actors/rules/cron_expression.hpp"
#include "actors/rules/time_zone.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace muster::rules {

enum class schedule_kind : std::uint8_t {
  now,         ///< once, as soon as the device has it
  once,        ///< at a local time
  every,       ///< so many minutes or hours apart, whatever the clocks show
  every_days,  ///< at a time of day, so many days apart
  weekly,      ///< at a time of day, on some weekdays
  monthly,     ///< at a time of day, on a day of the month; where that is missing, on the last one
  agent_start, ///< each time the agent starts
  after_task,  ///< each time another task of the device has succeeded
  cron,
};

/// Local times are those of the zone that the caller names: a fixed one or the device's. A local
/// time that clocks leave out is due when they are set forward; one that they show twice is due
/// once.
///
/// As text, and back:
///
///     now
///     once 2026-12-01 03:00
///     every 15 minutes | every 2 hours [from 2026-12-01 03:00]     counted from 1970 (UTC) else
///     every 3 days at 03:00 [from 2026-12-01] | daily at 03:00     counted from 1970-01-01 else
///     weekly mon,thu at 03:00
///     monthly 31 at 03:00 | monthly last at 03:00
///     at start
///     after TASK
///     cron 30 3 * * mon-fri
struct schedule {
  static constexpr std::size_t text_bytes_max = 400;
  static constexpr std::size_t task_bytes_max = 64;
  static constexpr unsigned minutes_max = 366 * 24 * 60;
  static constexpr unsigned days_max = 366;

  schedule_kind kind = schedule_kind::now;
  local_seconds at{};                        ///< once: when. every, every_days: counted from here
  bool from = false;                         ///< every, every_days: `at` was given
  std::uint32_t count = 1;                   ///< every: minutes; every_days: days
  std::chrono::minutes time_of_day{0};       ///< every_days, weekly, monthly
  std::uint8_t weekdays = 0;                 ///< weekly; bit 0 is Sunday
  std::uint8_t day = 1;                      ///< monthly; 31 is always the last day
  std::string task;                          ///< after_task
  std::optional<cron_expression> expression; ///< cron

  friend bool operator==(const schedule&, const schedule&) = default;

  /// Empty with a clause in `problem` when the text is no schedule.
  [[nodiscard]] static std::optional<schedule> parse(std::string_view text, std::string& problem);
  [[nodiscard]] std::string text() const;
  /// Whether time alone makes it due; the others are due when something happens.
  [[nodiscard]] bool is_timed() const noexcept;
};

/// The first due time behind `after`. Empty when there is none any more, and for what is not timed.
/// Strictly later than `after`, so that calling it with its own answer walks through all of them.
[[nodiscard]] std::optional<utc_seconds> next_due(const schedule& s, utc_seconds after,
                                                  const time_zone& zone);

/// "2026-12-01 03:00", with seconds only where there are some.
[[nodiscard]] std::string local_text(local_seconds at);
/// Strict, years 1970 to 2999. Seconds may be left out; so may the whole time, which is midnight
/// then.
[[nodiscard]] std::optional<local_seconds> local_from_text(std::string_view text) noexcept;

} // namespace muster::rules
