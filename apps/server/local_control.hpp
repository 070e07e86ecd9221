#pragma once
// What root may ask of the running server on its local socket: a new password for a user who has
// lost the old one.

#include "actors/protocol.hpp"
#include "net/local_port.hpp"

#include <caf/actor_system.hpp>

#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

namespace muster::server {

inline constexpr const char* local_socket_file = "server.sock"; ///< in the data directory

/// Answers on the socket (mode 0600) until dropped. A request is {"do":"passwd","user":"...",
/// "password":"..."}, an answer {"ok":true} or {"ok":false,"error":"..."}. Null with an error when
/// the socket cannot be made.
[[nodiscard]] std::shared_ptr<net::local_port>
open_local_control(caf::actor_system& system, net::io_pool& pool,
                   const std::filesystem::path& directory, actors::accounts_actor accounts,
                   std::error_code& ec);

/// The asking side: `muster-server passwd USER`. False with a sentence in `problem`.
[[nodiscard]] bool ask_for_password(const std::filesystem::path& directory, std::string_view user,
                                    std::string_view password, std::string& problem);

} // namespace muster::server
