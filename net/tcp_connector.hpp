#pragma once
// The client's way to a finished link: resolve, try every address, handshake. CAF-free.

#include "net/io_pool.hpp"
#include "net/keep_alive.hpp"
#include "net/limits.hpp"
#include "net/link.hpp"
#include "net/plain_context.hpp"
#include "net/tls_context.hpp"

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string_view>
#include <memory>
#include <string>
#include <system_error>

namespace muster::net {

struct endpoint_name {
  std::string host;                    ///< name or numeric address
  std::uint16_t port = 13000;
};

/// "host", "host:port", "1.2.3.4:5", "[::1]:5". Empty on anything else or a port outside 1-65535.
[[nodiscard]] std::optional<endpoint_name> parse_endpoint(std::string_view text,
                                                          std::uint16_t default_port);

struct connect_options {
  endpoint_name to;
  client_tls_context_ptr tls;
  tls_session_ptr resume;              ///< may be null
  std::string from_address;            ///< bind to this source address; empty: any
  client_plain_context_ptr plain = nullptr; ///< the plain protocol instead of TLS, when not null
  std::chrono::seconds keep_alive = keep_alive_period; ///< 0: never asks
  std::chrono::milliseconds connect_max = limits::connect_max; ///< to each address
};

/// Told exactly once, on an io thread: a link, or the last error with a sentence naming each
/// address that was tried and why it failed.
using on_connected =
  std::function<void(accepted_ptr connection, std::error_code ec, std::string detail)>;

/// The name and each address get `connect_max`, the handshake limits::handshake_max.
void connect(io_pool& pool, connect_options options, on_connected done);

/// Bytes on the wire of a link made by connect() or a listener, for tests and figures.
struct link_bytes {
  std::uint64_t in = 0;
  std::uint64_t out = 0;
};
[[nodiscard]] link_bytes bytes_of(const link& l);

} // namespace muster::net
