#pragma once
// Times as cron writes them: `30 3 * * mon-fri`.

#include "actors/rules/time_zone.hpp"

#include <bitset>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace muster::rules {

/// Five fields: minute, hour, day of the month, month, day of the week (0 and 7 are Sunday). Each
/// is `*`, a number, a range, a list of these, with steps: `*/15`, `1-5/2`, `jan,jul`, `mon-fri`.
/// When both days are given (neither begins with `*`), one of them is enough, as cron has always
/// had it. Also
/// @hourly, @daily, @midnight, @weekly, @monthly, @yearly, @annually.
///
/// Over a change of clocks: when the expression is for every hour, it goes by the time that passes
/// (an hour that is repeated has its runs twice, one that is left out has none). Else each time of
/// day has one run: at the shift when it is left out, the first time when it is repeated.
class cron_expression {
public:
  static constexpr std::size_t text_bytes_max = 256;

  /// Empty with a clause in `problem` when it is no expression, or none that ever comes (30
  /// February).
  [[nodiscard]] static std::optional<cron_expression> parse(std::string_view text,
                                                            std::string& problem);
  /// As it was written, with single spaces.
  [[nodiscard]] const std::string& text() const noexcept { return text_; }

  /// The first minute behind `after`; empty when there is none within the years we reckon with.
  [[nodiscard]] std::optional<utc_seconds> next(utc_seconds after, const time_zone& zone) const;

  /// Whether the expression has this minute of a calendar without zones.
  [[nodiscard]] bool matches(local_seconds at) const noexcept;
  [[nodiscard]] bool every_hour() const noexcept { return hours_.all(); }

  friend bool operator==(const cron_expression&, const cron_expression&) = default;

private:
  /// The first matching minute from `from` on, before `end`.
  [[nodiscard]] std::optional<local_seconds> next_local(local_seconds from,
                                                        local_seconds end) const;
  [[nodiscard]] bool has_day(std::chrono::local_days day) const noexcept;

  std::string text_;
  std::bitset<60> minutes_;
  std::bitset<24> hours_;
  std::bitset<32> days_;   ///< 1 to 31
  std::bitset<13> months_; ///< 1 to 12
  std::bitset<7> weekdays_;
  bool any_day_ = false;     ///< the day's field begins with *
  bool any_weekday_ = false; ///< the weekday's does
};

} // namespace muster::rules
