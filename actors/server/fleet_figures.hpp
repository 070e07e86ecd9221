#pragma once
// What the shards of the directory count, as Prometheus reads it. Pure.

#include "actors/messages.hpp"

#include <string>

namespace muster::actors {

/// Adds a shard's counts to what the others said.
void add_counts(device_counts& to, const device_counts& part) noexcept;

[[nodiscard]] std::string fleet_figures(const device_counts& all);

} // namespace muster::actors
