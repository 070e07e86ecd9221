#pragma once
// Every bound on calling devices by wakes, in one place.

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>

namespace muster::actors::wake_limits {

using namespace std::chrono_literals;

/// After the first datagram of a wake the same bytes go out again at these times ...
inline constexpr std::array<std::chrono::milliseconds, 3> again_after = {1s, 3s, 7s};
/// ... and at this one the device is given up.
inline constexpr std::chrono::milliseconds given_up_after = 10s;
inline constexpr std::size_t tries_max = again_after.size() + 1;

/// While any wake is in flight, all of them are looked at so often.
inline constexpr std::chrono::milliseconds tick = 100ms;

/// Datagrams a second, unless the settings say otherwise; a tenth of it at once.
inline constexpr std::uint32_t datagrams_per_second = 2'000;

/// Wakes in flight or waiting for their turn: 300 bytes each. The next one is refused.
inline constexpr std::size_t wakes_max = 50'000;

/// Wakes that one turn of an io thread signs: about a millisecond.
inline constexpr std::size_t signed_at_once = 32;

/// How far (it is microseconds since 1970) the counter may run before the disk is asked again.
inline constexpr std::uint64_t counter_ahead = 600'000'000;

/// A device may name any counter as heard. Above this one it is ignored: so many wakes there were
/// never, and enough numbers must be left for those that are to come.
inline constexpr std::uint64_t counter_heard_max = std::uint64_t{1} << 62U;

} // namespace muster::actors::wake_limits
