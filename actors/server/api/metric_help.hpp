#pragma once
// What the server's figures mean, for the HELP lines of /metrics. In one place, since those who count
// know nothing of each other, and some count the same for several ports. Pure.

#include <string_view>

namespace muster::actors::api {

/// One sentence; empty when the figure has none here (then it is missing: add it).
[[nodiscard]] std::string_view help_of(std::string_view name) noexcept;

} // namespace muster::actors::api
