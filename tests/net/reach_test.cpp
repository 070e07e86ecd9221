#include "net/reach.hpp"


#include <doctest/doctest.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

using namespace muster::net;
using namespace std::chrono_literals;

namespace {

/// A socket on a free port of loopback, closed at its end.
struct bound_socket {
  explicit bound_socket(int type) : fd(::socket(AF_INET, type | SOCK_CLOEXEC, 0)) {
    sockaddr_in here{};
    here.sin_family = AF_INET;
    here.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    REQUIRE(::bind(fd, reinterpret_cast<const sockaddr*>(&here), sizeof here) == 0);
    socklen_t size = sizeof here;
    REQUIRE(::getsockname(fd, reinterpret_cast<sockaddr*>(&here), &size) == 0);
    port = ntohs(here.sin_port);
  }
  ~bound_socket() { ::close(fd); }
  bound_socket(const bound_socket&) = delete;
  bound_socket& operator=(const bound_socket&) = delete;
  int fd;
  std::uint16_t port = 0;
};

} // namespace

TEST_CASE("a numeric address is its own, a name has some, another one none") {
  CHECK(resolve_name("192.0.2.7", 1s).addresses == std::vector<std::string>{"192.0.2.7"});
  CHECK(resolve_name("::1", 1s).addresses == std::vector<std::string>{"::1"});
  const auto local = resolve_name("localhost", 5s);
  CHECK_FALSE(local.addresses.empty());
  CHECK_FALSE(local.ec);
  const auto none = resolve_name("does-not-exist.invalid", 20s);
  CHECK(none.addresses.empty());
  CHECK(none.ec);
}

TEST_CASE("a TCP port is open, or closed, and nobody waits for ever") {
  bound_socket open{SOCK_STREAM};
  CHECK(try_tcp("127.0.0.1", open.port, 5s) == std::errc::connection_refused); // does not listen yet
  REQUIRE(::listen(open.fd, 1) == 0);
  CHECK_FALSE(try_tcp("127.0.0.1", open.port, 5s));
  CHECK(try_tcp("no address", open.port, 5s));
}

TEST_CASE("a UDP port where nobody listens says so, one where somebody does says nothing") {
  std::uint16_t closed = 0;
  {
    bound_socket here{SOCK_DGRAM};
    CHECK_FALSE(is_udp_refused("127.0.0.1", here.port, 100ms));
    closed = here.port;
  }
  CHECK(is_udp_refused("127.0.0.1", closed, 5s));
}
