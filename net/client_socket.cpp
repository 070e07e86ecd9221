#include "net/client_socket.hpp"

#include "net/errc.hpp"

#include <netdb.h>
#include <netinet/tcp.h>
#include <poll.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <limits>
#include <memory>

namespace muster::net {

namespace {

std::error_code last_error() {
  return {errno, std::generic_category()};
}

/// Waits until `fd` can be read or written; looks at least once.
std::error_code wait_for(int fd, short events, client_deadline until) {
  using std::chrono::milliseconds;
  while (true) {
    const auto left = std::chrono::ceil<milliseconds>(until - std::chrono::steady_clock::now());
    const auto wait =
      std::clamp<milliseconds::rep>(left.count(), 0, std::numeric_limits<int>::max());
    pollfd waiting{fd, events, 0};
    const int ready = ::poll(&waiting, 1, static_cast<int>(wait));
    if (ready > 0)
      return {};
    if (ready == 0)
      return errc::timed_out;
    if (errno != EINTR)
      return last_error();
  }
}

} // namespace

std::string client_address::text() const {
  std::array<char, NI_MAXHOST> out{};
  const int failed = ::getnameinfo(reinterpret_cast<const sockaddr*>(&address), size, out.data(),
                                   out.size(), nullptr, 0, NI_NUMERICHOST);
  return failed == 0 ? out.data() : "?";
}

std::vector<client_address> addresses_of(const endpoint_name& name, std::string& why) {
  addrinfo wanted{};
  wanted.ai_family = AF_UNSPEC;
  wanted.ai_socktype = SOCK_STREAM;
  wanted.ai_flags = AI_NUMERICSERV;
  addrinfo* found = nullptr;
  const int failed =
    ::getaddrinfo(name.host.c_str(), std::to_string(name.port).c_str(), &wanted, &found);
  if (failed != 0) {
    why = failed == EAI_SYSTEM ? last_error().message() : ::gai_strerror(failed);
    return {};
  }
  const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> owned(found, ::freeaddrinfo);
  std::vector<client_address> out;
  for (const auto* at = found; at != nullptr; at = at->ai_next) {
    client_address one;
    one.size = at->ai_addrlen;
    std::memcpy(&one.address, at->ai_addr, at->ai_addrlen);
    out.push_back(one);
  }
  return out;
}

owned_descriptor connect_until(const client_address& to, client_deadline until,
                               std::error_code& ec) {
  ec.clear();
  owned_descriptor fd(
    ::socket(to.address.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!fd) {
    ec = last_error();
    return {};
  }
  const int at_once = 1;
  static_cast<void>(::setsockopt(fd.get(), IPPROTO_TCP, TCP_NODELAY, &at_once, sizeof(at_once)));
  if (::connect(fd.get(), reinterpret_cast<const sockaddr*>(&to.address), to.size) == 0)
    return fd;
  ec = last_error();
  if (ec != std::errc::operation_in_progress && ec != std::errc::interrupted)
    return {};
  ec = wait_for(fd.get(), POLLOUT, until);
  if (ec)
    return {};
  int error = 0;
  socklen_t size = sizeof(error);
  if (::getsockopt(fd.get(), SOL_SOCKET, SO_ERROR, &error, &size) != 0)
    error = errno;
  ec.assign(error, std::generic_category());
  return ec ? owned_descriptor{} : std::move(fd);
}

std::error_code write_until(int fd, std::string_view bytes, client_deadline until) {
  while (!bytes.empty()) {
    const auto count = ::send(fd, bytes.data(), bytes.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
    if (count >= 0) {
      bytes.remove_prefix(static_cast<std::size_t>(count));
      continue;
    }
    if (errno == EAGAIN) {
      if (const auto ec = wait_for(fd, POLLOUT, until))
        return ec;
    } else if (errno != EINTR) {
      return last_error();
    }
  }
  return {};
}

std::size_t read_until(int fd, std::span<char> into, client_deadline until, std::error_code& ec) {
  ec.clear();
  while (true) {
    const auto count = ::recv(fd, into.data(), into.size(), MSG_DONTWAIT);
    if (count >= 0)
      return static_cast<std::size_t>(count);
    if (errno == EAGAIN)
      ec = wait_for(fd, POLLIN, until);
    else if (errno != EINTR)
      ec = last_error();
    if (ec)
      return 0;
  }
}

} // namespace muster::net
