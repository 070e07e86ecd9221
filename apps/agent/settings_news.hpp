#pragma once
// Hands what the settings keeper has to say to whichever connection lives just now.

#include "actors/protocol.hpp"

#include <caf/send.hpp>

#include <mutex>
#include <utility>

namespace muster::agent {

/// Thread-safe. A new connection hears the agent's own policy at once. Let go of the connection
/// (tell({})) before the actor system ends.
class settings_news {
public:
  void tell(actors::connection_actor whom) {
    const std::lock_guard lock{mutex_};
    connection_ = std::move(whom);
    if (connection_)
      caf::anon_send(connection_, atom::publish_v, policy_);
  }
  void changed() {
    const std::lock_guard lock{mutex_};
    if (connection_)
      caf::anon_send(connection_, atom::changed_v);
  }
  void policy(const actors::agent_policy& policy) {
    const std::lock_guard lock{mutex_};
    policy_ = policy;
    if (connection_)
      caf::anon_send(connection_, atom::publish_v, policy_);
  }

private:
  std::mutex mutex_;
  actors::connection_actor connection_;
  actors::agent_policy policy_;
};

} // namespace muster::agent
