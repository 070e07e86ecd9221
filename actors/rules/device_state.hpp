#pragma once
// What a device is said to be doing; defined here once, shown everywhere.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace muster::rules {

enum class device_state : std::uint8_t {
  connected, ///< has a session now
  idle,      ///< seen by this server, at most three periods ago
  silent,    ///< more than three periods without contact
  never,     ///< enrolled, has not been heard of since
  revoked,   ///< refused for ever
  unknown,   ///< not seen since the server started, which was at most three periods ago
  off,       ///< told us that it goes; any hello ends it
};
inline constexpr std::size_t device_states = 7;

/// Times in microseconds since 1970; `last_contact_us` 0: never.
struct device_signs {
  bool revoked = false;
  bool has_session = false;
  bool seen = false; ///< since the server started
  bool off = false;
  std::int64_t last_contact_us = 0;
  std::int64_t period_us = 0;
};

/// After how many periods a device that said nothing is silent.
inline constexpr int periods_until_silent = 3;

/// What the server says of a device it has seen or heard itself. Until it has seen a device since its
/// start, that device is `unknown`, however long ago its last contact was: the server had no ears
/// meanwhile, and the very last contacts before a crash may not have been written. Once it has
/// listened for three periods, whoever has not come is silent. So no device is ever called silent, or
/// idle, for what the server missed.
///
/// A session outweighs a notice: the connection of a device that is going may still bring its last
/// events. When it ends, the device is off.
[[nodiscard]] device_state state_of(const device_signs& signs, std::int64_t now_us,
                                    std::int64_t server_started_us) noexcept;

/// "connected", "idle" ... as in targets and tables.
[[nodiscard]] std::string_view name_of(device_state state) noexcept;
[[nodiscard]] std::optional<device_state> device_state_of(std::string_view name) noexcept;

} // namespace muster::rules
