#pragma once
// Durations and sizes as people write them: "15m", "1h30m", "64MB".

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace muster {

/// A sum of whole numbers with a unit each: ms, s, m, h, d or w. "0" needs none. Empty on anything
/// else, and beyond 100 years.
[[nodiscard]] std::optional<std::chrono::milliseconds> parse_duration(std::string_view text);

/// What parse_duration() reads back: "15m", "1h30m", "0s".
[[nodiscard]] std::string format_duration(std::chrono::milliseconds d);

/// A whole number with B, KB, MB, GB or TB, powers of 1024 (KiB and so on mean the same); a number
/// alone is bytes. Letter case does not count. Empty on anything else, and beyond 2^62.
[[nodiscard]] std::optional<std::uint64_t> parse_size(std::string_view text);

/// The largest unit that loses nothing: "64MB", "1500B".
[[nodiscard]] std::string format_size(std::uint64_t bytes);

} // namespace muster
