#pragma once
// The agent's way to its server: what the connection calls `connector`, over TLS or, when told so,
// without encryption. There is no way from the one to the other but the settings.

#include "actors/agent/connection_options.hpp"
#include "net/agent_identity.hpp"
#include "net/io_pool.hpp"
#include "net/keep_alive.hpp"
#include "net/limits.hpp"
#include "net/tcp_connector.hpp"

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <system_error>

namespace muster::actors {

struct dialer_options {
  net::io_pool* pool = nullptr;        ///< outlives the connector's last use
  net::agent_identity identity;
  net::endpoint_name server;           ///< where to go; who must be there says the identity
  std::string from_address;            ///< source address; empty: any
  std::function<std::int64_t()> now_s; ///< the machine's clock, seconds since 1970
  bool plain = false;                  ///< without encryption; `server` is then that port
  std::chrono::seconds keep_alive = net::keep_alive_period; ///< 0: never asks
  std::chrono::milliseconds connect_max = net::limits::connect_max; ///< to each address
};

/// Every attempt proves this device and demands its server: the pinned authority, the server id
/// learned at enrolment. Certificates are judged by the later of the machine's clock and the last
/// server time learned. The newest ticket is remembered, in memory only, and offered to the next
/// handshake until forget_session(). Thread-safe. Empty with a sentence in `problem` when key and
/// certificate do not fit.
[[nodiscard]] std::optional<connector> make_dialer(dialer_options options, std::string& problem);

/// What came of one attempt; without an error it is our server.
struct dial_result {
  std::error_code ec;
  std::string detail;
};

/// Connects, lets both sides prove who they are, and closes. Without a hello there is no session: nobody
/// is replaced. `pool` need not be set. Blocks, bounded by the limits of each address and the handshake.
[[nodiscard]] dial_result dial_once(dialer_options options);

} // namespace muster::actors
