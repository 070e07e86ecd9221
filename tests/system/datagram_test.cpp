// Must hold: whatever somebody on the way does to a datagram between the real programs, it is refused
// and counted, answered never, and the genuine one gets through. Whoever sits there here has the
// server call the device at an address of his, and the device tell its notice to a port of his.

#include "net/notice.hpp"
#include "net/udp_socket.hpp"
#include "net/wake.hpp"
#include "tests/system/agent_side.hpp"
#include "tests/system/wire_relay.hpp"

#include <doctest/doctest.h>

#include <poll.h>

#include <csignal>
#include <span>
#include <utility>

using namespace muster;
using namespace muster::test;
using namespace std::chrono_literals;

namespace {

/// A socket that hears and says whatever it likes.
class tap {
public:
  explicit tap(const std::string& address = "127.0.0.1", std::uint16_t port = 0)
    : fd_(net::bind_udp(address, port, 1 << 20, v6_, ec_)) {
    REQUIRE_MESSAGE(fd_, ec_.message());
  }
  [[nodiscard]] std::uint16_t port() const { return net::udp_port_of(fd_.get()); }

  void say(const net::udp_endpoint& to, const std::vector<std::string>& datagrams) {
    net::datagram_batch batch;
    for (const auto& bytes : datagrams)
      batch.push_back({to, bytes});
    for (std::span rest(std::as_const(batch)); !rest.empty();) {
      std::size_t failed = 0;
      rest = rest.subspan(net::send_udp(fd_.get(), v6_, rest, failed, ec_));
      REQUIRE(failed == 0);
    }
  }
  /// The next one; REQUIREs that it comes.
  [[nodiscard]] net::datagram hear(std::chrono::milliseconds time = patience) {
    REQUIRE(has_heard(time));
    if (heard_.empty()) { // several may have come at once
      net::udp_inbox inbox(512);
      const auto count = inbox.receive(fd_.get(), ec_);
      REQUIRE(count > 0);
      for (std::size_t i = 0; i < count; ++i)
        heard_.push_back({inbox.from(i), std::string(inbox.bytes(i))});
    }
    auto out = heard_.front();
    heard_.erase(heard_.begin());
    return out;
  }
  /// All that is there, one after the other, is this and nothing else.
  void expect_only(const std::string& bytes) {
    while (has_heard()) {
      const auto next = hear();
      CHECK(next.bytes == bytes);
    }
  }
  [[nodiscard]] bool has_heard(std::chrono::milliseconds time = 0ms) {
    pollfd ready{fd_.get(), POLLIN, 0};
    return !heard_.empty() || ::poll(&ready, 1, static_cast<int>(time.count())) == 1;
  }

private:
  bool v6_ = false;
  std::error_code ec_;
  net::owned_descriptor fd_;
  net::datagram_batch heard_;
};

/// Every truncation, every flipped bit, and one byte more.
std::vector<std::string> altered(const std::string& genuine) {
  std::vector<std::string> out{genuine + '\0'};
  for (std::size_t bytes = 0; bytes < genuine.size(); ++bytes)
    out.push_back(genuine.substr(0, bytes));
  for (std::size_t bit = 0; bit < 8 * genuine.size(); ++bit) {
    out.push_back(genuine);
    auto& victim = out.back()[bit / 8];
    victim = static_cast<char>(victim ^ (1U << (bit % 8)));
  }
  return out;
}

net::udp_endpoint loopback(std::uint16_t port) { return *net::make_udp_endpoint("127.0.0.1", port); }

void wait_until_quiet(const console_under_test& console, const agent_under_test& agent) {
  REQUIRE(eventually([&] { return is_quiet(console, agent); }));
}

} // namespace

TEST_CASE("a wake counts as it was sent and once, whatever else is sent to the device") {
  server_under_test server;
  server.start();
  const console_under_test console{server};
  const auto wake_port = std::to_string(reserve_port());
  wire_relay translation{server.agents_port(), "127.0.0.2"};
  agent_under_test agent{server, "tapped",
                         {"--wake-address", "127.0.0.1", "--wake-port", wake_port}};
  agent.start({"--server", translation.address()});
  wait_until_quiet(console, agent);
  const auto device = loopback(static_cast<std::uint16_t>(std::stoi(wake_port)));
  tap between("127.0.0.2", device.port); // where the server believes the device to be

  std::vector<std::string> recorded;
  for (int round = 0; round < 3; ++round) {
    const auto connections = translation.connections().size();
    const auto order = console.follow({"sync", "tapped"});
    auto genuine = between.hear().bytes;
    while (!recorded.empty() && genuine == recorded.back())
      genuine = between.hear().bytes; // a late try of the last one
    REQUIRE(genuine.size() == net::wake_bytes);
    // First of all what was recorded earlier, then what can be made of this one.
    between.say(device, recorded);
    between.say(device, altered(genuine));
    between.say(device, {genuine, genuine});
    // As many as that may be more than the device's socket takes at once: the server's next tries
    // pass, too.
    while (!order->wait(100ms).has_value())
      while (between.has_heard())
        between.say(device, {between.hear().bytes});
    CHECK_MESSAGE(order->wait() == 0, order->output());
    CHECK_MESSAGE(order->output().find("after a wake") != std::string::npos, order->output());
    wait_until_quiet(console, agent);
    CHECK(translation.connections().size() == connections + 1);
    recorded.push_back(genuine);
  }
  // Nobody was answered: all that came is the server's.
  between.expect_only(recorded.back());
  CHECK(eventually([&] { return figures{server}.of("wakes_arrived_total") >= 3; }));
  CHECK(figures{server}.of("wakes_arrived_total") == 3);
  CHECK(agent.stop() == 0);
  CHECK(server.stop() == 0);
}

TEST_CASE("a notice counts as it was sent and once, and nothing but its own answer is taken for one") {
  server_under_test server;
  server.start();
  const console_under_test console{server};
  const auto here = loopback(server.notices_port());
  tap between;
  agent_under_test agent{server, "tapped", {"--wake-port", "0", "--notice-port",
                                            std::to_string(between.port())}};
  agent.start();
  wait_until_quiet(console, agent);
  agent.program().signal(SIGTERM);
  const auto said = between.hear();
  REQUIRE(said.bytes.size() == net::notice_bytes);

  // Its server never hears of it for now; the agent gets what can be made of a genuine answer.
  tap stranger;
  const auto forged = altered(said.bytes);
  constexpr std::size_t at_once = 100; // or some might find no room in the server's socket
  for (std::size_t i = 0; i < forged.size(); i += at_once) {
    const auto end = std::min(i + at_once, forged.size());
    stranger.say(here, {forged.begin() + static_cast<std::ptrdiff_t>(i),
                        forged.begin() + static_cast<std::ptrdiff_t>(end)});
    REQUIRE(eventually(
      [&] { return figures{server}.of("notices_datagrams_refused_total") == end; }));
  }
  CHECK(figures{server}.of("notices_taken_total") == 0);
  CHECK_FALSE(stranger.has_heard());
  CHECK(device_of(console, "tapped").value("state", "") == "idle");
  CHECK(agent.program().wait() == 0);
  between.expect_only(said.bytes); // the tries are the same

  // It got through late, but it did; and its answer is no longer than the question.
  between.say(here, {said.bytes});
  const auto answer = between.hear();
  CHECK(answer.bytes.size() == net::acknowledgement_bytes);
  CHECK(answer.bytes.size() <= said.bytes.size());
  CHECK(device_of(console, "tapped").value("state", "") == "off");
  between.say(here, {said.bytes});
  const auto again = between.hear();
  CHECK(again.bytes == answer.bytes);

  // Any hello ends it; then the recorded one is worth nothing, and is not even answered.
  agent.start();
  wait_until_quiet(console, agent);
  between.say(here, {said.bytes});
  REQUIRE(eventually([&] { return figures{server}.of("notices_refused_total") == 1; }));
  CHECK_FALSE(between.has_heard());
  CHECK(device_of(console, "tapped").value("state", "") == "idle");

  // The other way: nothing that is not exactly the answer to its present notice is taken for one.
  agent.program().signal(SIGTERM);
  const auto second = between.hear();
  CHECK(second.bytes != said.bytes);
  between.say(here, {second.bytes});
  auto genuine = between.hear();
  for (; genuine.peer != here; genuine = between.hear())
    CHECK(genuine.bytes == second.bytes); // another try
  auto useless = altered(genuine.bytes);
  useless.push_back(answer.bytes);
  useless.push_back(second.bytes);
  between.say(second.peer, useless);
  CHECK(agent.program().wait() == 0);
  CHECK_MESSAGE(agent.program().output().find("has not acknowledged that this device goes") !=
                  std::string::npos,
                agent.program().output());
  between.expect_only(second.bytes);
  CHECK_FALSE(stranger.has_heard());
  CHECK(server.stop() == 0);
}
