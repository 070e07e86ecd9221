#pragma once
// The agent at work: puts its actors together and lives until it is told to stop.

#include "apps/agent/settings.hpp"
#include "apps/common/signals.hpp"

namespace muster::agent {

struct run_end {
  int exit_code = 0;
  /// Somebody asked the agent to start anew, with settings and identity as they are on the disk now:
  /// begin the whole program again.
  bool again = false;
};

/// Everything that can be wrong with settings, identity or disk ends in one clear line on stderr.
[[nodiscard]] run_end run_agent(const agent_settings& settings, stop_signals& signals);

} // namespace muster::agent
