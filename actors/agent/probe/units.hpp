#pragma once
// What systemd says of its services, asked over the system bus. The only place that knows sd-bus.

#include "actors/agent/probe/owners.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace muster::wire {
class run_states;
}

namespace muster::actors::probe {

inline constexpr std::size_t units_max = 1024;
inline constexpr std::size_t unit_calls_max =
  32; ///< in flight; a system bus allows 128 a connection
inline constexpr std::chrono::milliseconds units_time_max{2000};

struct units_options {
  std::filesystem::path root = "/";                    ///< of the control groups
  std::string bus_address;                             ///< empty: the system bus
  std::chrono::milliseconds time_max = units_time_max; ///< for everything together
};

/// How one service is.
struct unit_condition {
  std::string name;   ///< "ssh.service"
  std::string state;  ///< "active", "failed", "activating" ...
  std::string detail; ///< systemd's sub state
};

/// Services that are loaded and not merely inactive, by name; one question. False: no bus, no
/// systemd on it, or no complete answer in time; `out` is empty then.
[[nodiscard]] bool read_unit_conditions(const units_options& options,
                                        std::vector<unit_condition>& out);

/// The same services in canonical form: since when, how often restarted, how large. `now_us` is the
/// time of day. A property that systemd does not tell stays 0.
[[nodiscard]] bool read_units(const units_options& options, std::int64_t now_us,
                              package_owners& owners, wire::run_states& out);

} // namespace muster::actors::probe
