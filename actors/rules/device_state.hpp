#pragma once
// What a device is said to be doing; defined here once, shown everywhere.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace muster::rules {

enum class device_state : std::uint8_t {
  connected, ///< has a session now
  idle,      ///< last contact at most three periods ago
  silent,    ///< more than three periods without contact
  never,     ///< enrolled, has not been heard of since
  revoked,   ///< refused for ever
  unknown,   ///< the server itself was away: not seen yet, and not yet late
};
inline constexpr std::size_t device_states = 6;

/// Times in microseconds since 1970; `last_contact_us` 0: never.
struct device_signs {
  bool revoked = false;
  bool has_session = false;
  std::int64_t last_contact_us = 0;
  std::int64_t period_us = 0;
};

/// After how many periods a device that said nothing is silent.
inline constexpr int periods_until_silent = 3;

/// A device is not called silent before the server itself has listened for three periods: what it
/// missed while it was away is `unknown`.
[[nodiscard]] device_state state_of(const device_signs& signs, std::int64_t now_us,
                                    std::int64_t server_started_us) noexcept;

/// "connected", "idle" ... as in targets and tables.
[[nodiscard]] std::string_view name_of(device_state state) noexcept;
[[nodiscard]] std::optional<device_state> device_state_of(std::string_view name) noexcept;

} // namespace muster::rules
