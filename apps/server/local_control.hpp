#pragma once
// What root may ask of the running server on its local socket: a new password for a user who has
// lost the old one, how the server is doing, and other keys for datagrams.

#include "actors/protocol.hpp"
#include "net/datagram_keys.hpp"
#include "net/local_port.hpp"

#include <caf/actor_addr.hpp>
#include <caf/actor_system.hpp>

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace muster::server {

inline constexpr const char* local_socket_file = "server.sock"; ///< in the data directory

/// Whom the socket asks.
struct local_services {
  actors::accounts_actor accounts;
  caf::actor_addr root; ///< not held: whoever holds it holds its end up
  /// Makes a new generation of datagram keys and uses it; blocks. Empty with a sentence.
  std::function<std::optional<net::datagram_secrets>(bool force, std::string& problem)> rotate;
};

/// Answers on the socket (mode 0600) until dropped. Requests, and answers beside
/// {"ok":false,"error":"..."}:
///
///     {"do":"passwd","user":"...","password":"..."}   {"ok":true}
///     {"do":"status"}                                 {"ok":true,"version":"...","ports":{...},...}
///     {"do":"rotate-datagram-keys","force":false}     {"ok":true,"newest":1764028800,"previous":1}
///
/// Null with an error when the socket cannot be made.
[[nodiscard]] std::shared_ptr<net::local_port>
open_local_control(caf::actor_system& system, net::io_pool& pool,
                   const std::filesystem::path& directory, local_services services,
                   std::error_code& ec);

// -- the asking side ------------------------------------------------------------------------------

/// `muster-server passwd USER`. False with a sentence in `problem`.
[[nodiscard]] bool ask_for_password(const std::filesystem::path& directory, std::string_view user,
                                    std::string_view password, std::string& problem);

/// What the server says of itself.
struct server_report {
  std::string version;
  std::int64_t now_us = 0;
  std::uint64_t descriptors_max = 0;
  std::uint64_t descriptors_open = 0;
  std::map<std::string, std::uint16_t> ports; ///< by the settings' section; 0: does not listen
  std::map<std::string, double> figures;      ///< as /metrics has them; labels added up
};

/// Empty when the text is no such answer. Pure.
[[nodiscard]] std::optional<server_report> parse_server_report(std::string_view text);

/// Figures by name out of a metrics text; those with several labels are added up. Pure.
[[nodiscard]] std::map<std::string, double> figures_of(std::string_view metrics);

enum class asked { answered, not_running, not_allowed, failed };
/// `muster-server check`. A sentence in `problem` unless answered.
[[nodiscard]] asked ask_for_report(const std::filesystem::path& directory, server_report& out,
                                   std::string& problem);

/// `muster-server rotate-datagram-keys`, with a server that runs. What the server refused is `failed` with its sentence.
[[nodiscard]] asked ask_for_rotation(const std::filesystem::path& directory, bool force,
                                     std::uint32_t& newest, std::uint32_t& previous,
                                     std::string& problem);

} // namespace muster::server
