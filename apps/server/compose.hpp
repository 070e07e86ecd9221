#pragma once
// Which actors a server has, and who knows whom.

#include "actors/server/server_root.hpp"
#include "apps/server/foundation.hpp"
#include "apps/server/shown_certificates.hpp"
#include "net/datagram_keys.hpp"
#include "net/io_pool.hpp"

#include <caf/actor_system.hpp>

#include <memory>
#include <optional>
#include <string>

namespace muster::server {

struct composition {
  actors::server_root_options root;   ///< everything hangs on it and ends with it
  actors::accounts_actor accounts;    ///< for the local socket
  std::shared_ptr<net::live_datagram_keys> datagram_keys; ///< likewise
};

/// Spawns all that lives as long as the server; ports and sessions are spawned by the root, from
/// functions in its options. `base`, pools and system must outlive the root. Empty with a sentence
/// in `problem` when the store cannot be read.
[[nodiscard]] std::optional<composition> compose(caf::actor_system& system,
                                                 const server_settings& settings, foundation& base,
                                                 net::io_pool& agents_pool,
                                                 net::io_pool& admin_pool,
                                                 std::shared_ptr<shown_certificates> shown,
                                                 std::string& problem);

} // namespace muster::server
