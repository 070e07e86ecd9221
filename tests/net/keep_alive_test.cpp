#include "net/keep_alive.hpp"
#include "tests/net/socket_world.hpp"

#include <doctest/doctest.h>

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <fstream>
#include <sstream>
#include <string>

using namespace muster::net;
using namespace muster::net::testing;
using namespace std::chrono_literals;

namespace {

int option(int socket, int level, int name) {
  int out = -1;
  socklen_t size = sizeof(out);
  REQUIRE(::getsockopt(socket, level, name, &out, &size) == 0);
  return out;
}

/// Seconds until the kernel asks the peer, for the established connection that has this port here
/// (`local`) or there; negative when it is not going to.
double asks_in(std::uint16_t port, bool local) {
  std::ostringstream hexadecimal;
  hexadecimal << std::uppercase << std::hex << port;
  const auto wanted = std::string(4 - hexadecimal.str().size(), '0') + hexadecimal.str();
  for (const auto* const file : {"/proc/net/tcp", "/proc/net/tcp6"}) {
    std::ifstream table{file};
    std::string line;
    std::getline(table, line);
    while (std::getline(table, line)) {
      std::istringstream fields{line};
      std::string number, here, there, state, queues, timer;
      fields >> number >> here >> there >> state >> queues >> timer;
      const auto& end = local ? here : there;
      if (state == "01" && end.ends_with(":" + wanted))
        return timer.starts_with("02:")
                 ? static_cast<double>(std::stoul(timer.substr(3), nullptr, 16)) / 100.0
                 : -1;
    }
  }
  return -2;
}

} // namespace

TEST_CASE("a period makes four questions within the next one, then the end") {
  const int socket = ::socket(AF_INET, SOCK_STREAM, 0);
  REQUIRE(socket >= 0);
  struct row {
    std::chrono::seconds period;
    int idle, interval, silence_ms;
  };
  for (const auto& one : {row{60s, 60, 15, 120'000}, row{1s, 1, 1, 2'000},
                          row{24h * 30, 32'400, 8'100, 64'800'000}}) {
    keep_alive(socket, one.period);
    CHECK(option(socket, SOL_SOCKET, SO_KEEPALIVE) == 1);
    CHECK(option(socket, IPPROTO_TCP, TCP_KEEPIDLE) == one.idle);
    CHECK(option(socket, IPPROTO_TCP, TCP_KEEPINTVL) == one.interval);
    CHECK(option(socket, IPPROTO_TCP, TCP_USER_TIMEOUT) == one.silence_ms);
  }
  keep_alive(socket, 0s);
  CHECK(option(socket, SOL_SOCKET, SO_KEEPALIVE) == 0);
  CHECK(option(socket, IPPROTO_TCP, TCP_USER_TIMEOUT) == 0);
  ::close(socket);
}

TEST_CASE_FIXTURE(socket_world, "both ends of a connection ask, each after its own period") {
  listener_options options;
  options.keep_alive = 1234s;
  const auto port = open(options);
  const auto client = dial(port);
  REQUIRE(client);
  const auto server = port.next();
  REQUIRE(server);
  // A moment after the handshake another timer may be in front.
  const auto number = port.listener->port();
  CHECK(comes_true([&] { return asks_in(number, true) > 1200 && asks_in(number, true) <= 1234; }));
  CHECK(comes_true([&] { return asks_in(number, false) > 30 && asks_in(number, false) <= 60; }));
}
