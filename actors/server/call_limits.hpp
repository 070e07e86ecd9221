#pragma once
// Every bound on what a call to many devices holds and does at once, in one place.

#include <chrono>
#include <cstddef>
#include <cstdint>

namespace muster::actors::call_limits {

using namespace std::chrono_literals;

/// Fan-out, of all calls together: so many devices at each turn, in bursts of at most one turn.
/// 2,000 a second is less than half of the resumed handshakes that one core takes, so that a call to
/// the whole fleet leaves room for those who come by themselves.
inline constexpr auto turn_period = 50ms;
inline constexpr std::size_t devices_per_turn = 100;
/// Devices called and not heard of: asked, being woken, or in their shard's line of wakes. So many
/// that a fleet that sleeps keeps the waker busy, and so few that a line is seconds long, not hours.
inline constexpr std::size_t outstanding_max = 20'000;
/// One that has been asked or is being woken for so long is given up: no sync may last longer.
inline constexpr auto heard_of_within = 20min;

/// Calls remembered, and for how long. With `rows_max` devices in all of them: 36 bytes each and the
/// name, so at most some 200 MB when a fleet's names are as long as names are.
inline constexpr std::size_t calls_max = 100;
inline constexpr auto kept = 24h;
inline constexpr std::size_t rows_max = 4'000'000;

/// Rows that one page of the directory brings, from each shard.
inline constexpr std::uint32_t page_rows = 1'000;
/// Rows that one report has.
inline constexpr std::uint32_t report_rows_max = 1'000;
inline constexpr std::size_t name_bytes_max = 255;
/// What devices are told of, in different words, by one call; what comes beyond is told in the last
/// one's place without its own words.
inline constexpr std::size_t texts_max = 1'000;
inline constexpr std::size_t text_bytes_max = 255;
inline constexpr std::size_t target_bytes_max = 1'024;

} // namespace muster::actors::call_limits
