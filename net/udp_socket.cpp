#include "net/udp_socket.hpp"

#include <asio/ip/address.hpp>

#include <arpa/inet.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace muster::net {

namespace {

constexpr std::array<std::uint8_t, 12> mapped_prefix{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

bool is_mapped(const std::array<std::uint8_t, 16>& address) {
  return std::equal(mapped_prefix.begin(), mapped_prefix.end(), address.begin());
}

sockaddr_in v4_of(const udp_endpoint& to) {
  sockaddr_in out{};
  out.sin_family = AF_INET;
  out.sin_port = htons(to.port);
  std::memcpy(&out.sin_addr, to.address.data() + mapped_prefix.size(), sizeof(out.sin_addr));
  return out;
}

sockaddr_in6 v6_of(const udp_endpoint& to) {
  sockaddr_in6 out{};
  out.sin6_family = AF_INET6;
  out.sin6_port = htons(to.port);
  std::memcpy(&out.sin6_addr, to.address.data(), to.address.size());
  out.sin6_scope_id = to.scope;
  return out;
}

std::error_code last_error() {
  return {errno, std::generic_category()};
}

bool set_option(int fd, int level, int name, int value) {
  return ::setsockopt(fd, level, name, &value, sizeof(value)) == 0;
}

bool bind_to(int fd, const asio::ip::address& address, std::uint16_t port) {
  const auto mapped = make_udp_endpoint(address.to_string(), port);
  if (address.is_v6()) {
    const auto where = v6_of(*mapped);
    return ::bind(fd, reinterpret_cast<const sockaddr*>(&where), sizeof(where)) == 0;
  }
  const auto where = v4_of(*mapped);
  return ::bind(fd, reinterpret_cast<const sockaddr*>(&where), sizeof(where)) == 0;
}

} // namespace

owned_descriptor bind_udp(const std::string& text, std::uint16_t port,
                          std::size_t receive_buffer_bytes, bool& v6, std::error_code& ec) {
  auto address = asio::ip::make_address(text, ec);
  if (ec) {
    ec = std::make_error_code(std::errc::invalid_argument);
    return {};
  }
  const auto make = [&] {
    return owned_descriptor(::socket(address.is_v6() ? AF_INET6 : AF_INET,
                                     SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  };
  auto fd = make();
  if (!fd && errno == EAFNOSUPPORT && address.is_v6() && address.is_unspecified()) {
    address = asio::ip::address_v4::any();
    fd = make();
  }
  v6 = address.is_v6();
  const bool only = v6 && !address.is_unspecified();
  if (!fd || (v6 && !set_option(fd.get(), IPPROTO_IPV6, IPV6_V6ONLY, only ? 1 : 0)) ||
      !bind_to(fd.get(), address, port)) {
    ec = last_error();
    return {};
  }
  // Neither is worth a failure: less room, or an unknown number of drops.
  const int room = static_cast<int>(receive_buffer_bytes);
  if (!set_option(fd.get(), SOL_SOCKET, SO_RCVBUFFORCE, room))
    static_cast<void>(set_option(fd.get(), SOL_SOCKET, SO_RCVBUF, room));
  static_cast<void>(set_option(fd.get(), SOL_SOCKET, SO_RXQ_OVFL, 1));
  return fd;
}

std::uint16_t udp_port_of(int fd) {
  sockaddr_in6 where{}; // the port of an IPv4 address is in the same place
  socklen_t size = sizeof(where);
  static_cast<void>(::getsockname(fd, reinterpret_cast<sockaddr*>(&where), &size));
  return ntohs(where.sin6_port);
}

// -- receiving --------------------------------------------------------------------------------

udp_inbox::udp_inbox(std::size_t bytes_max) : each_(bytes_max + 1), buffer_(size * each_) {
  for (std::size_t i = 0; i < size; ++i)
    parts_[i] = {&buffer_[i * each_], each_};
}

std::size_t udp_inbox::receive(int fd, std::error_code& ec) {
  for (std::size_t i = 0; i < size; ++i) {
    headers_[i].msg_hdr = {.msg_name = &from_[i],
                           .msg_namelen = sizeof(from_[i]),
                           .msg_iov = &parts_[i],
                           .msg_iovlen = 1,
                           .msg_control = &control_[i],
                           .msg_controllen = sizeof(control_[i]),
                           .msg_flags = 0};
    headers_[i].msg_len = 0;
  }
  const int got = ::recvmmsg(fd, headers_.data(), size, MSG_DONTWAIT, nullptr);
  if (got <= 0) {
    ec = got < 0 ? last_error() : std::make_error_code(std::errc::operation_would_block);
    return 0;
  }
  ec.clear();
  note_drops(headers_[static_cast<std::size_t>(got) - 1].msg_hdr);
  return static_cast<std::size_t>(got);
}

/// The kernel counts from the socket's beginning, so the last datagram of a batch knows all.
void udp_inbox::note_drops(msghdr& last) {
  for (auto* head = CMSG_FIRSTHDR(&last); head != nullptr; head = CMSG_NXTHDR(&last, head))
    if (head->cmsg_level == SOL_SOCKET && head->cmsg_type == SO_RXQ_OVFL)
      std::memcpy(&dropped_, CMSG_DATA(head), sizeof(dropped_));
}

std::string_view udp_inbox::bytes(std::size_t i) const {
  return {static_cast<const char*>(parts_[i].iov_base), headers_[i].msg_len};
}

udp_endpoint udp_inbox::from(std::size_t i) const {
  udp_endpoint out;
  const auto& v6 = from_[i];
  if (v6.sin6_family == AF_INET6) {
    std::memcpy(out.address.data(), &v6.sin6_addr, out.address.size());
    out.port = ntohs(v6.sin6_port);
    out.scope = v6.sin6_scope_id;
    return out;
  }
  sockaddr_in v4{};
  std::memcpy(&v4, &v6, sizeof(v4));
  const auto end = std::copy(mapped_prefix.begin(), mapped_prefix.end(), out.address.begin());
  std::memcpy(&*end, &v4.sin_addr, sizeof(v4.sin_addr));
  out.port = ntohs(v4.sin_port);
  return out;
}

// -- sending ----------------------------------------------------------------------------------

std::size_t send_udp(int fd, bool v6, std::span<const datagram> batch, std::size_t& failed,
                     std::error_code& ec) {
  constexpr std::size_t at_once = 64;
  std::array<sockaddr_in6, at_once> to{};
  std::array<iovec, at_once> parts{};
  std::array<mmsghdr, at_once> headers{};
  ec.clear();
  if (!batch.empty() && !v6 && !is_mapped(batch.front().peer.address)) {
    ++failed; // an IPv6 address on an IPv4 socket
    return 1;
  }
  std::size_t count = 0;
  for (const auto& one : batch.first(std::min(at_once, batch.size()))) {
    if (!v6 && !is_mapped(one.peer.address))
      break;
    const auto as_v4 = v4_of(one.peer);
    if (v6)
      to[count] = v6_of(one.peer);
    else
      std::memcpy(&to[count], &as_v4, sizeof(as_v4));
    parts[count] = {const_cast<char*>(one.bytes.data()), one.bytes.size()};
    headers[count].msg_hdr = {
      .msg_name = &to[count],
      .msg_namelen = static_cast<socklen_t>(v6 ? sizeof(sockaddr_in6) : sizeof(sockaddr_in)),
      .msg_iov = &parts[count],
      .msg_iovlen = 1,
      .msg_control = nullptr,
      .msg_controllen = 0,
      .msg_flags = 0};
    ++count;
  }
  const int sent =
    ::sendmmsg(fd, headers.data(), static_cast<unsigned>(count), MSG_DONTWAIT | MSG_NOSIGNAL);
  if (sent > 0)
    return static_cast<std::size_t>(sent);
  const auto why = last_error();
  if (why == std::errc::operation_would_block || why == std::errc::interrupted) {
    ec = std::make_error_code(std::errc::operation_would_block);
    return 0;
  }
  ++failed; // no route, forbidden, out of memory: the first of them, and only it
  return 1;
}

} // namespace muster::net
