#pragma once
// Figures as Prometheus reads them (text format 0.0.4), put together from what many actors wrote
// without knowing of each other. Pure.

#include <optional>
#include <string>
#include <string_view>

namespace muster::actors::api {

/// The same samples in the order the format demands: all samples of one family together, in front
/// of them its HELP (theirs, or metric_help's) and TYPE line, each once. A family without a type is
/// a counter when its name ends in _total, else a gauge. The same sample a second time, and lines
/// that are no samples, are left out.
[[nodiscard]] std::string exposition(std::string_view shares);

/// The value of a sample without labels; empty when there is none.
[[nodiscard]] std::optional<double> figure(std::string_view shares, std::string_view name);

} // namespace muster::actors::api
