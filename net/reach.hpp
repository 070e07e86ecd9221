#pragma once
// Whether a server can be reached, one step at a time, for who wants to know at which one it ends.
// Blocking, each with a time limit. connect() (net/tcp_connector.hpp) is for those who want to talk.

#include <chrono>
#include <cstdint>
#include <string>
#include <system_error>
#include <vector>

namespace muster::net {

struct resolved_name {
  std::vector<std::string> addresses; ///< numeric, each once, in the resolver's order
  std::error_code ec;                 ///< when there are none
};

/// A numeric address is its own answer.
[[nodiscard]] resolved_name resolve_name(const std::string& host, std::chrono::milliseconds time);

/// Connects and closes. Empty: somebody listens there.
[[nodiscard]] std::error_code try_tcp(const std::string& address, std::uint16_t port,
                                      std::chrono::milliseconds time);

/// Sends one datagram that is of no meaning to anybody. True: the machine there says that nobody
/// listens. False tells nothing: whoever does listen does not answer such a one.
[[nodiscard]] bool is_udp_refused(const std::string& address, std::uint16_t port,
                                  std::chrono::milliseconds time);

} // namespace muster::net
