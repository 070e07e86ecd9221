#pragma once
// What this process costs its machine. Reads /proc: for a reader's thread, not for a scheduler's.

#include <cstdint>
#include <string>

namespace muster::actors {

struct process_figures {
  std::uint64_t resident_bytes = 0;
  double cpu_seconds = 0;
  std::uint64_t open_descriptors = 0;
  std::uint64_t descriptors_max = 0;
  std::uint64_t threads = 0;
};

/// Figures that the system does not tell are 0.
[[nodiscard]] process_figures measure_process();

/// By the names that Prometheus' own clients use.
[[nodiscard]] std::string exposition_of(const process_figures& figures, std::int64_t started_us);

} // namespace muster::actors
