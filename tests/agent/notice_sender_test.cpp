#include "actors/agent/notice_sender.hpp"

#include "net/io_pool.hpp"
#include "net/source_address.hpp"

#include <doctest/doctest.h>

#include <chrono>
#include <future>
#include <memory>
#include <optional>
#include <string>

#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

using namespace muster;
using namespace muster::actors;
using namespace std::chrono_literals;

namespace {

/// Stands where the server's port for notices is.
class far_end {
public:
  far_end() : fd_(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in here{};
    here.sin_family = AF_INET;
    here.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    REQUIRE(::bind(fd_, reinterpret_cast<const sockaddr*>(&here), sizeof here) == 0);
    socklen_t length = sizeof here;
    REQUIRE(::getsockname(fd_, reinterpret_cast<sockaddr*>(&here), &length) == 0);
    port = ntohs(here.sin_port);
  }
  ~far_end() { ::close(fd_); }
  far_end(const far_end&) = delete;
  far_end& operator=(const far_end&) = delete;

  std::string take() {
    pollfd fds{fd_, POLLIN, 0};
    REQUIRE(::poll(&fds, 1, 20'000) == 1);
    char bytes[512];
    socklen_t length = sizeof last_;
    const auto got = ::recvfrom(fd_, bytes, sizeof bytes, 0, reinterpret_cast<sockaddr*>(&last_), &length);
    REQUIRE(got >= 0);
    return {bytes, static_cast<std::size_t>(got)};
  }
  /// To whom the last one came from.
  void answer(const std::string& bytes) const {
    CHECK(::sendto(fd_, bytes.data(), bytes.size(), 0, reinterpret_cast<const sockaddr*>(&last_),
                   sizeof last_) >= 0);
  }
  /// Somebody else writes to where the answer is awaited.
  void answer_from_elsewhere(const std::string& bytes) const {
    const int other = ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    CHECK(::sendto(other, bytes.data(), bytes.size(), 0, reinterpret_cast<const sockaddr*>(&last_),
                   sizeof last_) >= 0);
    ::close(other);
  }

  std::uint16_t port = 0;

private:
  int fd_;
  sockaddr_in last_{};
};

struct sender_world {
  auto answers(const std::string& right) {
    return [right](std::string_view bytes) { return bytes == right; };
  }
  far_end server;
  net::io_pool pool{1};
  notice_sender sender{pool, server.port};
  std::promise<void> promise;
  std::future<void> answered = promise.get_future();
};

} // namespace

TEST_CASE_FIXTURE(sender_world, "a notice is answered, whichever try it was, and answered once") {
  for (int tries = 0; tries < 3; ++tries)
    sender.send("127.0.0.1", "bye", answers("yes"), [this] { promise.set_value(); });
  for (int tries = 0; tries < 3; ++tries)
    CHECK(server.take() == "bye");
  server.answer("nonsense");
  server.answer(std::string(400, 'x'));
  server.answer_from_elsewhere("yes");
  CHECK(answered.wait_for(50ms) == std::future_status::timeout);
  server.answer("yes");
  server.answer("yes"); // a second one would break the promise
  CHECK(answered.wait_for(20s) == std::future_status::ready);
  CHECK(sender.refused() >= 2); // what is too long may not have been looked at
}

TEST_CASE_FIXTURE(sender_world, "the answer to an older notice is none to the present one") {
  sender.send("127.0.0.1", "old", answers("yes"), [] { FAIL_CHECK("the old one is over"); });
  CHECK(server.take() == "old");
  sender.send("127.0.0.1", "new", answers("yes"), [this] { promise.set_value(); });
  server.answer("yes"); // to the socket of the old one, which is gone
  CHECK(server.take() == "new");
  server.answer("yes");
  CHECK(answered.wait_for(20s) == std::future_status::ready);
}

TEST_CASE("the way to an address has a source, as long as there is a way") {
  CHECK(net::source_address_towards("127.0.0.1") == "127.0.0.1");
  CHECK(net::source_address_towards("no address").empty());
}
