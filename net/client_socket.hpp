#pragma once
// A TCP connection for programs that wait: every call ends by its deadline. For https_client.cpp.

#include "net/accept_gate.hpp"
#include "net/tcp_connector.hpp"

#include <netinet/in.h>
#include <sys/socket.h>

#include <chrono>
#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

namespace muster::net {

using client_deadline = std::chrono::steady_clock::time_point;

/// One address of a name.
struct client_address {
  sockaddr_storage address{};
  socklen_t size = 0;
  [[nodiscard]] std::string text() const; ///< numeric, without port
};

/// Blocks as long as the system's resolver does. Empty with its words in `why` on failure.
[[nodiscard]] std::vector<client_address> addresses_of(const endpoint_name& name, std::string& why);

/// errc::timed_out when the deadline has passed.
[[nodiscard]] owned_descriptor connect_until(const client_address& to, client_deadline until,
                                             std::error_code& ec);
[[nodiscard]] std::error_code write_until(int fd, std::string_view bytes, client_deadline until);
/// At least one byte; none without an error: the peer has ended. A deadline in the past looks once.
[[nodiscard]] std::size_t read_until(int fd, std::span<char> into, client_deadline until,
                                     std::error_code& ec);

} // namespace muster::net
