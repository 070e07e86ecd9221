#pragma once
// The two servers that are compared. Each accepts on a port of its own with one thread on core 0,
// asks for a certificate, answers with one ticket and an empty frame (in one write: BoringSSL keeps
// a ticket back until something is written), and lets the client close.

#include "bench/handshake/trust.hpp"

#include <cstdint>
#include <memory>

namespace muster::bench {

class server {
public:
  virtual ~server() = default;
  [[nodiscard]] virtual std::uint16_t port() const = 0;
  /// CPU time, user and system, that the server's thread has used.
  [[nodiscard]] virtual double cpu_us() const = 0;
  /// Waits until this many connections, counted since the start, have come and gone.
  virtual void wait_for(std::uint64_t connections) = 0;
  /// Resumed ones among them.
  [[nodiscard]] virtual std::uint64_t resumed() const = 0;
};

/// What muster-server runs: tcp_listener, tcp_link and tls_engine on one lane of an io_pool.
[[nodiscard]] std::unique_ptr<server> make_our_server(const trust& who);

/// How the bare loop judges the client's certificate.
enum class judge : unsigned char {
  library, ///< as BoringSSL does by itself: X509 objects, a store, a chain, purposes
  leanest, ///< one signature check on the leaf; knows nothing of roles, names or dates
};

/// BoringSSL and system calls, nothing between: accept, SSL_accept, four bytes, read to the end.
[[nodiscard]] std::unique_ptr<server> make_bare_server(const trust& who, judge how);

} // namespace muster::bench
