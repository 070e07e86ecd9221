#pragma once
// Where this device's server is.

#include "apps/agent/settings.hpp"
#include "net/agent_identity.hpp"
#include "net/tcp_connector.hpp"

#include <optional>

namespace muster::agent {

/// As the settings say, else as enrolled or moved. A setting that named the server from which this
/// device has moved away is void (net/agent_identity.hpp). Empty: the setting is no such place.
[[nodiscard]] inline std::optional<net::endpoint_name>
server_place(const agent_settings& settings, const net::agent_identity& identity) {
  const bool away = settings.server.empty() || settings.server == identity.moved_from;
  return net::parse_endpoint(away ? identity.server : settings.server, 13000);
}

} // namespace muster::agent
