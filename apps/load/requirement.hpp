#pragma once
// What a run must keep to: `--require 'p99<100ms,errors=0'`. Pure.

#include "apps/load/measure.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace muster::load {

/// `name operator value`: a quantile (p50, p90, p99, p99.9, max) or a duration with a unit (us, ms,
/// s), `errors`, or a figure of the scenario with a bare number in the figure's own unit.
struct requirement {
  enum class relation : unsigned char { less, at_most, equal, at_least, greater };
  std::string text;
  std::string name;
  relation what = relation::less;
  double value = 0; ///< of durations: microseconds
};

/// Empty with a sentence in `problem`. Divided by commas.
[[nodiscard]] std::optional<std::vector<requirement>> parse_requirements(std::string_view text,
                                                                         std::string& problem);

/// A sentence for each one that does not hold, and for each that names what the run has not.
[[nodiscard]] std::vector<std::string> unmet(const std::vector<requirement>& all, const result& run);

} // namespace muster::load
