#pragma once
// The agent at work: puts its actors together and lives until it is told to stop.

#include "apps/agent/settings.hpp"
#include "apps/common/signals.hpp"

namespace muster::agent {

/// Answers the exit code. Everything that can be wrong with settings, identity or disk ends in one
/// clear line on stderr.
[[nodiscard]] int run_agent(const agent_settings& settings, stop_signals& signals);

} // namespace muster::agent
