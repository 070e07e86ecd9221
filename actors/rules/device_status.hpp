#pragma once
// How a device is: ok, warning or critical, and why. Defined here once, shown everywhere.

#include "actors/rules/device_state.hpp"

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace muster::rules {

enum class device_status : std::uint8_t { ok, warning, critical };
inline constexpr std::size_t device_statuses = 3;

/// From where on a condition counts. Zero: this condition never does.
struct status_thresholds {
  std::uint32_t warning = 0;
  std::uint32_t critical = 0;
};

/// Thresholds of all conditions; the server's settings, later a group's.
struct status_limits {
  std::chrono::seconds silent_warning{std::chrono::hours{24}}; ///< without contact; 0: never
  std::chrono::seconds silent_critical{std::chrono::hours{24 * 7}};
  std::chrono::seconds restart_warning{std::chrono::hours{1}}; ///< said that it restarts, is not back
  status_thresholds disk_used_percent{90, 95};
  status_thresholds failed_services{1, 0};
  status_thresholds sync_failures{3, 10}; ///< in a row
  std::chrono::seconds certificate_warning{std::chrono::hours{24 * 30}}; ///< left; 0: never
  std::chrono::seconds certificate_critical{std::chrono::hours{24 * 7}};
};

/// What a status is found from, as it was last known.
struct device_conditions {
  device_state state = device_state::never;
  std::int64_t last_contact_us = 0;
  std::int64_t restarting_since_us = 0; ///< it is off, and said that it restarts; 0: not that
  std::uint32_t disk_used_percent = 0;
  std::uint32_t failed_services = 0;
  std::uint32_t sync_failures = 0;
  std::int64_t certificate_expires_s = 0;
};

enum class condition : std::uint8_t { silent, restarting, disk, services, syncs, certificate };
inline constexpr std::size_t conditions = 6;

/// A condition that counts.
struct finding {
  condition what = condition::silent;
  device_status level = device_status::ok;
  std::int64_t value = 0; ///< seconds for times, else a number
};

/// What was found, without a byte of heap: a count looks at a million devices.
struct status_findings {
  std::array<finding, conditions> all{};
  std::size_t count = 0;
  device_status level = device_status::ok; ///< the worst of all
};

/// A revoked device is ok, whatever else is true of it: nobody has to do anything. A device that
/// said that it goes is not silent; one that said that it restarts ought to come back.
[[nodiscard]] status_findings status_of(const device_conditions& device,
                                        const status_limits& limits, std::int64_t now_us) noexcept;

/// A clause for each finding, the worst first, divided by "; ". Empty when there is none.
[[nodiscard]] std::string explain(const status_findings& findings);

/// "ok", "warning", "critical" as in targets and tables.
[[nodiscard]] std::string_view name_of(device_status status) noexcept;
[[nodiscard]] std::optional<device_status> device_status_of(std::string_view name) noexcept;

} // namespace muster::rules
