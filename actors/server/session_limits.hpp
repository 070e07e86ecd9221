#pragma once
// Every bound on what one agent can make the server hold or do, in one place. (What a single text
// or list may be is in convert.hpp and section_intake.hpp; bytes on the wire are in
// net/limits.hpp.)

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>

namespace muster::actors::session_limits {

using namespace std::chrono_literals;

/// Frames an admitted agent may have on its way to us. With net's frame bound this is what a
/// session can make us hold; for events it is the number of batches in flight.
inline constexpr std::size_t frames_in_flight = 4;

/// An agent that is asked for a sign of life has so long to give one.
inline constexpr auto probe_max = 5s;
/// A wake that could not be sent is known to be so by then; an agent waits 5 s for what it asked for.
inline constexpr auto wake_test_doubt = 2s;
/// The directory hears of a talking agent this often at most.
inline constexpr auto contact_interval = 10s;

/// A section's canonical form, decompressed. Index: section.
inline constexpr std::array<std::size_t, 4> section_bytes_max = {
  256 * 1024,       // device facts
  16 * 1024 * 1024, // installed applications
  4 * 1024 * 1024,  // run states
  4 * 1024 * 1024,  // settings states
};
/// Parts one section may come in.
inline constexpr std::uint32_t section_parts_max = 256;
/// An agent may pause this long between two parts, and take this long for the whole sync.
inline constexpr auto sync_silence_max = 30s;
inline constexpr auto sync_max = 15min;
/// Section content all sync jobs may hold together; who comes later is told to come back.
inline constexpr std::size_t sync_content_bytes_max = 256 * 1024 * 1024;
/// What a sync that takes content reserves of that before it begins; enough for most.
inline constexpr std::size_t sync_first_share_bytes = 128 * 1024;

/// What one device may send in events, if the settings do not say otherwise: on average in a second,
/// and at once after a rest. An event of more than a KB counts as one for each KB.
inline constexpr std::uint64_t events_per_second = 1'000;
inline constexpr std::uint64_t events_burst = 20'000;
/// A debt of more than its stock and this: the device sends without waiting for credit, which takes
/// a new connection each time. A frame counts as 1,024 at most.
inline constexpr std::uint64_t event_overdraft = frames_in_flight * 1'024;

/// An event stream with nothing in flight for so long ends.
inline constexpr auto stream_idle_max = 10s;

} // namespace muster::actors::session_limits
