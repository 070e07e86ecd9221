#pragma once
// What the status shows beside the connection's own report: who this device is, how long its
// certificate lasts, what the server has said, what became of wakes.

#include "actors/agent/connection_options.hpp"
#include "actors/agent/device_datagrams.hpp"
#include "actors/agent/local_status.hpp"
#include "net/agent_identity.hpp"

#include <cstdint>
#include <mutex>
#include <string>

namespace muster::agent {

/// Thread-safe. `datagrams` outlives it.
class agent_figures {
public:
  agent_figures(const net::agent_identity& identity, std::string transport,
                const actors::device_datagrams& datagrams);

  void learn(const actors::server_terms& terms);
  void add_to(actors::local_status& status) const;

private:
  std::string device_;
  std::string transport_;
  std::int64_t certificate_ends_s_;
  const actors::device_datagrams& datagrams_;
  mutable std::mutex mutex_;
  actors::server_terms terms_;
};

} // namespace muster::agent
