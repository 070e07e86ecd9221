#pragma once
// The one client of all servers: bare, blocking, one connection after the other.

#include "bench/handshake/trust.hpp"

#include <cstdint>
#include <memory>

namespace muster::bench {

/// Belongs to one thread, which should stay on another core than the servers.
class client {
public:
  explicit client(const trust& who);
  ~client();
  client(const client&) = delete;
  client& operator=(const client&) = delete;

  /// Connects, proves itself, waits for ticket and frame, closes in an orderly way and waits for
  /// the server's end. With `resume` it offers the newest ticket (which must be this server's).
  void visit(std::uint16_t port, bool resume);

private:
  struct state;
  std::unique_ptr<state> state_;
};

} // namespace muster::bench
