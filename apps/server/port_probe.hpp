#pragma once
// Whether the ports of a server can be had, asked before anything is made: a port that is taken is
// the commonest mistake of all. The ports themselves are opened by their actors, a moment later.

#include "apps/server/settings.hpp"
#include "net/udp_socket.hpp"

#include <asio/io_context.hpp>
#include <asio/ip/tcp.hpp>

#include <cstdint>
#include <deque>
#include <string>
#include <system_error>
#include <vector>

namespace muster::server {

struct wanted_port {
  const char* setting; ///< "agents": SETTING.address and SETTING.port
  std::string address;
  std::uint16_t port = 0; ///< 0: any free one
  bool datagrams = false;
};

/// Every socket that a server with these settings opens, in the order of the manual.
[[nodiscard]] std::vector<wanted_port> ports_wanted(const server_settings& settings);

/// Holds what it has taken until its end: whoever is first may not be in the other's way either.
class port_probe {
public:
  [[nodiscard]] std::error_code take(const wanted_port& port);

private:
  asio::io_context io_;
  std::deque<asio::ip::tcp::acceptor> listening_;
  std::vector<net::owned_descriptor> receiving_;
};

} // namespace muster::server
