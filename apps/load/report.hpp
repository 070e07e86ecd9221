#pragma once
// How a run is told: a table for people, a line of JSON for programs, a page for whoever decides.
// Pure.

#include "apps/load/measure.hpp"

#include <string>
#include <utility>
#include <vector>

namespace muster::load {

/// What a run was, beside what it measured.
struct run_facts {
  std::vector<std::pair<std::string, std::string>> all; ///< "server", "agents", "machine", "started" ...
};

[[nodiscard]] std::string table_of(const result& run);

/// One line: `scenario`, every figure by its name, `latency_us` with count and quantiles, `errors`
/// by cause.
[[nodiscard]] std::string json_of(const result& run);

/// One self-contained page (no script, nothing fetched): figures, quantiles, plots over time of what
/// was done in each second, latencies, and the server's CPU and memory when they were watched.
[[nodiscard]] std::string page_of(const result& run, const run_facts& facts);

/// "830 us", "12.4 ms", "3.1 s".
[[nodiscard]] std::string text_of(std::chrono::microseconds time);

} // namespace muster::load
