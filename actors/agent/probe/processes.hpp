#pragma once
// What runs as a service on a machine without systemd, from /proc.

#include "actors/agent/probe/owners.hpp"

#include <cstddef>
#include <cstdint>
#include <filesystem>

namespace muster::wire {
class run_states;
}

namespace muster::actors::probe {

inline constexpr std::size_t processes_max = 65'536; ///< looked at
inline constexpr std::size_t programs_max = 512;     ///< told

struct processes_options {
  std::filesystem::path root = "/";
  std::int64_t young_s = 10; ///< a program must run that long to be a service: jobs come and go
};

/// Services in canonical form, one per program. `now_us` is the time of day. False: there is no
/// /proc to read; `out` is empty then.
[[nodiscard]] bool read_processes(const processes_options& options, std::int64_t now_us,
                                  package_owners& owners, wire::run_states& out);

} // namespace muster::actors::probe
