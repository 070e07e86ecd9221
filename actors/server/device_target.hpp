#pragma once
// Targets as the directory can answer them. Pure.

#include "actors/rules/device_filter.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace muster::actors {

/// A rules::device_filter without `group:` and `tag:`: no device has a group or a tag yet, and a target
/// that matches nobody, silently, is worse than none. Empty with a sentence in `problem`.
[[nodiscard]] std::optional<rules::device_filter> parse_target(std::string_view target,
                                                               std::string& problem);

} // namespace muster::actors
