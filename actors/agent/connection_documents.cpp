// The connection's part that fetches what the server wants on this device.
#include "actors/agent/connection.hpp"

namespace muster::actors {

void connection_state::on_states_changed() {
  sync_wanted_ = true;
  consider();
}

void connection_state::on_policy(const agent_policy& policy) {
  if (policy.sync_period_s)
    period_ = std::chrono::seconds{*policy.sync_period_s};
  if (policy.sync_jitter_percent)
    jitter_percent_ = *policy.sync_jitter_percent;
}

} // namespace muster::actors
