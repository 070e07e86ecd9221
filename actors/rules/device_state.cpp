#include "actors/rules/device_state.hpp"

#include <array>

namespace muster::rules {

namespace {

constexpr std::array<std::string_view, device_states> names = {
  "connected", "idle", "silent", "never", "revoked", "unknown", "off",
};

} // namespace

device_state state_of(const device_signs& signs, std::int64_t now_us,
                      std::int64_t server_started_us) noexcept {
  if (signs.revoked)
    return device_state::revoked;
  if (signs.has_session)
    return device_state::connected;
  if (signs.off)
    return device_state::off;
  if (signs.last_contact_us == 0)
    return device_state::never;
  const auto patience_us = periods_until_silent * signs.period_us;
  if (!signs.seen)
    return now_us - server_started_us <= patience_us ? device_state::unknown
                                                     : device_state::silent;
  return now_us - signs.last_contact_us <= patience_us ? device_state::idle
                                                       : device_state::silent;
}

std::string_view name_of(device_state state) noexcept {
  return names[static_cast<std::size_t>(state)];
}

std::optional<device_state> device_state_of(std::string_view name) noexcept {
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (names[i] == name)
      return static_cast<device_state>(i);
  }
  return std::nullopt;
}

} // namespace muster::rules
