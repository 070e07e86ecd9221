#pragma once
// All datagrams of a played fleet go through one socket: those of the server name the device they
// are for.

#include "net/datagram.hpp"
#include "net/io_pool.hpp"
#include "net/udp_port.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <system_error>

namespace muster::load {

/// On the stage's thread.
class post_office {
public:
  using on_datagram = std::function<void(std::string_view bytes)>;

  /// Throws std::system_error when there is no socket to be had. `source`: bind to it; empty: any.
  post_office(net::io_pool& pool, const std::string& source, on_datagram told);
  ~post_office();
  post_office(const post_office&) = delete;
  post_office& operator=(const post_office&) = delete;

  [[nodiscard]] std::uint16_t port() const { return port_->port(); }
  void send(const net::udp_endpoint& to, std::string bytes);

private:
  std::shared_ptr<net::udp_port> port_;
};

} // namespace muster::load
