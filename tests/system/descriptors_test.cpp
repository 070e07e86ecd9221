// Must hold: a server without file descriptors refuses newcomers, keeps who is there, answers its
// administrators, and takes newcomers again when there is room.

#include "tests/system/fleet.hpp"

#include <doctest/doctest.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <vector>

using namespace muster::test;
using namespace std::chrono_literals;

namespace {

/// Connections that say nothing.
class silent_crowd {
public:
  ~silent_crowd() { leave(); }
  void come(std::size_t count, std::uint16_t port) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    for (std::size_t i = 0; i < count; ++i) {
      const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
      REQUIRE(fd >= 0);
      sockets_.push_back(fd);
      static_cast<void>(
        ::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof(address)));
    }
  }
  /// How many the server has thrown out.
  [[nodiscard]] std::size_t refused() const {
    std::size_t out = 0;
    for (const int fd : sockets_) {
      pollfd ended{fd, POLLIN, 0};
      out += ::poll(&ended, 1, 0) == 1 ? 1 : 0;
    }
    return out;
  }
  void leave() {
    for (const int fd : sockets_)
      ::close(fd);
    sockets_.clear();
  }

private:
  std::vector<int> sockets_;
};

void allow_descriptors(rlim_t count) {
  rlimit limit{};
  REQUIRE(::getrlimit(RLIMIT_NOFILE, &limit) == 0);
  limit.rlim_cur = std::min(limit.rlim_max, std::max(limit.rlim_cur, count));
  REQUIRE(::setrlimit(RLIMIT_NOFILE, &limit) == 0);
}

} // namespace

TEST_CASE(
  "a crowd that takes every descriptor is refused; who was there stays, and later all can come") {
  constexpr std::size_t descriptors = 1'200;
  allow_descriptors(4'000);
  const auto limit = std::to_string(descriptors);
  server_under_test server{{}, {"/usr/bin/prlimit", "--nofile=" + limit + ":" + limit}};
  server.start();
  const console_under_test console{server};
  auto who = server.enrol_wire_device("early");
  auto late = server.enrol_wire_device("late");
  wire_client early;
  REQUIRE(greet(early, who, server.agents_port()) == "");

  silent_crowd crowd;
  crowd.come(1'500, server.agents_port());
  CHECK(eventually([&] { return crowd.refused() > 100; }));
  CHECK_FALSE(early.ends_within(200ms));
  CHECK(console.run({"devices"}).exit_code == 0);
  // Those who say nothing are let go after a while; on a slow machine they have to come again.
  wire_client latecomer;
  CHECK(eventually([&] {
    const bool out = !greet(latecomer, late, server.agents_port()).empty();
    if (!out) {
      crowd.leave();
      crowd.come(1'500, server.agents_port());
    }
    return out;
  }));

  crowd.leave();
  CHECK(eventually([&] { return greet(latecomer, late, server.agents_port()).empty(); }));
  CHECK(server.stop() == 0);
}
