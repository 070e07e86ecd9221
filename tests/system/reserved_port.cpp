#include "tests/system/reserved_port.hpp"

#include "net/accept_gate.hpp"

#include <doctest/doctest.h>

#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstddef>
#include <cstring>
#include <fstream>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace muster::test {

namespace {

// Above the ports of our programs and of most others.
constexpr int lowest = 16'384;
constexpr int highest = 65'535;

/// What the kernel gives to those who ask for any port.
std::pair<int, int> given_away() {
  std::ifstream in("/proc/sys/net/ipv4/ip_local_port_range");
  std::pair<int, int> out{32'768, 60'999};
  in >> out.first >> out.second;
  return out;
}

/// A name that one process at a time can have, and that goes with it: nothing is left behind.
net::owned_descriptor take_name(int port) {
  net::owned_descriptor fd(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  const auto name = "muster-test-port-" + std::to_string(port);
  sockaddr_un address{}; // an abstract name: its first byte is zero
  address.sun_family = AF_UNIX;
  std::memcpy(&address.sun_path[1], name.data(), name.size());
  const auto size = offsetof(sockaddr_un, sun_path) + 1 + name.size();
  if (::bind(fd.get(), reinterpret_cast<const sockaddr*>(&address),
             static_cast<socklen_t>(size)) != 0)
    return {};
  return fd;
}

/// The port, if it can be had; 0 asks for any.
std::optional<std::uint16_t> bind_once(int kind, int port) {
  const net::owned_descriptor fd(::socket(AF_INET, kind | SOCK_CLOEXEC, 0));
  const int on = 1; // as listeners do: connections that were are not in the way
  if (kind == SOCK_STREAM)
    ::setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  auto* const any = reinterpret_cast<sockaddr*>(&address);
  socklen_t size = sizeof(address);
  if (::bind(fd.get(), any, size) != 0 || ::getsockname(fd.get(), any, &size) != 0)
    return std::nullopt;
  return ntohs(address.sin_port);
}

} // namespace

std::uint16_t reserve_port() {
  static std::vector<net::owned_descriptor> names;
  const auto kernels = given_away();
  constexpr int count = highest - lowest + 1;
  const int first = static_cast<int>(::getpid()) * 16; // not all in the same place
  for (int i = 0; i < count; ++i) {
    const int port = lowest + (first + i) % count;
    if (port >= kernels.first && port <= kernels.second)
      continue;
    auto name = take_name(port);
    if (!name || !bind_once(SOCK_STREAM, port) || !bind_once(SOCK_DGRAM, port))
      continue;
    names.push_back(std::move(name));
    return static_cast<std::uint16_t>(port);
  }
  // The kernel gives away all there are: then luck has to do.
  const auto any = bind_once(SOCK_DGRAM, 0);
  REQUIRE(any.has_value());
  return *any;
}

} // namespace muster::test
