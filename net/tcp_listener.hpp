#pragma once
// Accepts connections on one address, runs their handshakes, hands over finished links. CAF-free.

#include "net/io_pool.hpp"
#include "net/keep_alive.hpp"
#include "net/limits.hpp"
#include "net/link.hpp"
#include "net/plain_context.hpp"
#include "net/splitter.hpp"
#include "net/tls_context.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <system_error>

namespace muster::net {

/// Connections that wait in the kernel, where net.core.somaxconn allows it.
inline constexpr int backlog_max = 4096;

struct listener_options {
  std::string address = "::";          ///< numeric; "::" takes IPv4 too (dual stack)
  std::uint16_t port = 0;              ///< 0: any free one
  /// How connections are protected: by TLS, or by the plain protocol. One of the two.
  server_tls_context_ptr tls;
  server_plain_context_ptr plain;
  make_splitter splitter = make_frame_splitter;
  std::size_t connections_max = 0;     ///< 0: as many as file descriptors allow, less a reserve
  std::size_t accepts_per_second_max = 0; ///< token bucket, burst of one second; 0: unlimited
  std::size_t handshakes_max = limits::handshakes_max;
  std::chrono::milliseconds handshake_max = limits::handshake_max;
  /// From the end of the handshake to the first message, not counting time without credit.
  std::chrono::milliseconds first_message_max = limits::handshake_max;
  std::chrono::seconds keep_alive = keep_alive_period; ///< 0: never asks
};

/// Figures since start, readable from any thread.
struct listener_counters {
  std::uint64_t accepted = 0;
  std::uint64_t refused_full = 0;      ///< connection cap or no descriptor
  std::uint64_t handshakes_failed = 0;
  std::uint64_t handshakes_timed_out = 0;
  std::uint64_t broken = 0;            ///< ended because what came later was not the peer's to the bit
  std::uint64_t cut = 0;               ///< ended without a goodbye
  std::uint64_t resumed = 0;
  std::uint64_t open = 0;
  std::uint64_t bytes_in = 0;          ///< on the wire
  std::uint64_t bytes_out = 0;
};

/// Thread-safe. Dropping the last handle closes it. Waits (does not spin) when descriptors run out:
/// keeps one in reserve, closes the newcomer at once, and pauses accepting for 100 ms.
class tcp_listener {
public:
  /// Told on an io thread, once per finished handshake.
  using on_accepted = std::function<void(accepted_ptr)>;
  /// Told once when the listening socket fails for good (not for a single connection).
  using on_failed = std::function<void(std::error_code)>;

  [[nodiscard]] static std::shared_ptr<tcp_listener>
  open(io_pool& pool, const listener_options& options, on_accepted accepted, on_failed failed,
       std::error_code& ec);
  virtual ~tcp_listener() = default;

  [[nodiscard]] virtual std::uint16_t port() const = 0;
  [[nodiscard]] virtual listener_counters counters() const = 0;
  /// Stops accepting, frees the port and ends handshakes in progress. Finished links are not
  /// touched. After the return neither callback starts any more. May be called in a callback.
  virtual void close() = 0;
  /// New connections are handshaken with this context (a renewed certificate).
  virtual void use(server_tls_context_ptr tls) = 0;
  virtual void use(server_plain_context_ptr plain) = 0;
};

} // namespace muster::net
