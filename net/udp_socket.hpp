#pragma once
// The system calls of a UDP port: many datagrams per call. For udp_port.cpp and benchmarks.

#include "net/accept_gate.hpp"
#include "net/datagram.hpp"

#include <sys/socket.h>

#include <netinet/in.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

namespace muster::net {

/// A bound, non-blocking socket. `v6` says of which family it has become: without IPv6 in the
/// kernel, "::" is every IPv4 address.
[[nodiscard]] owned_descriptor bind_udp(const std::string& address, std::uint16_t port,
                                        std::size_t receive_buffer_bytes, bool& v6,
                                        std::error_code& ec);
[[nodiscard]] std::uint16_t udp_port_of(int fd);

/// Room for one recvmmsg(2), made once and used again.
class udp_inbox {
public:
  static constexpr std::size_t size = 64;
  explicit udp_inbox(std::size_t bytes_max);
  udp_inbox(const udp_inbox&) = delete;
  udp_inbox& operator=(const udp_inbox&) = delete;

  /// How many came, at most size; zero with an error, which may be std::errc::operation_would_block.
  [[nodiscard]] std::size_t receive(int fd, std::error_code& ec);
  /// Of the last receive(). `bytes` is longer than bytes_max by one if the datagram was longer.
  [[nodiscard]] std::string_view bytes(std::size_t i) const;
  [[nodiscard]] udp_endpoint from(std::size_t i) const;
  /// What the kernel had dropped since the socket was made, when it last said so.
  [[nodiscard]] std::uint32_t dropped() const noexcept { return dropped_; }

private:
  /// SO_RXQ_OVFL's counter, the only control message asked for.
  struct alignas(cmsghdr) control {
    std::array<std::byte, CMSG_SPACE(sizeof(std::uint32_t))> bytes;
  };
  void note_drops(msghdr& last);

  const std::size_t each_;
  std::vector<char> buffer_;
  std::array<sockaddr_in6, size> from_{};
  std::array<control, size> control_{};
  std::array<iovec, size> parts_{};
  std::array<mmsghdr, size> headers_{};
  std::uint32_t dropped_ = 0;
};

/// Sends the first of these, at most 64. How many of them are over: sent, or impossible (counted in
/// `failed`). Zero with std::errc::operation_would_block when the socket is full.
[[nodiscard]] std::size_t send_udp(int fd, bool v6, std::span<const datagram> batch,
                                   std::size_t& failed, std::error_code& ec);

} // namespace muster::net
