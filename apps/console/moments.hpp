#pragma once
// Times and amounts as people say them.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace muster::console {

/// Microseconds since 1970, 0 for never, as in the admin API.
using moment_us = std::int64_t;

/// "now", "12 s ago", "3 min ago", "5 h ago", "2 days ago", "in 3 h"; days further off than 60 as
/// a date; "never" for 0.
[[nodiscard]] std::string relative(moment_us when, moment_us now);

/// "2026-11-24 16:58:02Z", in UTC; "never" for 0.
[[nodiscard]] std::string exact(moment_us when);

/// "Nov 24 17:58:02" in the machine's time zone, with the year when it is not this one's.
[[nodiscard]] std::string local_clock(moment_us when, moment_us now);

/// "17:58:02" on the same day, else as local_clock().
[[nodiscard]] std::string time_of_day(moment_us when, moment_us now);
/// The same to the minute: "17:58".
[[nodiscard]] std::string minute_of_day(moment_us when, moment_us now);

/// "84 ms", "3.2 s", "5 min".
[[nodiscard]] std::string lasting(std::int64_t duration_us);

/// "2h" before `now`; "2026-11-24", "2026-11-24 16:30", "2026-11-24T16:30:05" in the machine's time
/// zone, with a "Z" behind it in UTC. Empty on anything else.
[[nodiscard]] std::optional<moment_us> parse_moment(std::string_view text, moment_us now);

/// "3 min", "5 h", "2 days": one unit, rounded down.
[[nodiscard]] std::string rough(std::int64_t seconds);

/// "1,234,567".
[[nodiscard]] std::string grouped(std::uint64_t number);

/// "1.5 GB", "820 MB", "0 B".
[[nodiscard]] std::string amount(std::uint64_t bytes);

/// "1 device", "3 devices".
[[nodiscard]] std::string counted(std::uint64_t number, std::string_view one,
                                  std::string_view several);

} // namespace muster::console
