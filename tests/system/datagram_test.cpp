// Must hold: whatever somebody on the way does to a datagram between the real programs, it is refused
// and counted, answered never, and the genuine one gets through. Whoever sits there here has the
// server call the device at an address of his, and the device tell its notice to a port of his.

#include "net/notice.hpp"
#include "net/udp_socket.hpp"
#include "net/wake.hpp"
#include "tests/system/fleet.hpp"
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
  [[nodiscard]] net::datagram hear(std::chrono::milliseconds time = 20s) {
    REQUIRE(has_heard(time));
    net::udp_inbox inbox(512);
    const auto count = inbox.receive(fd_.get(), ec_);
    REQUIRE(count > 0);
    for (std::size_t i = 0; i < count; ++i)
      heard_.push_back({inbox.from(i), std::string(inbox.bytes(i))});
    auto out = heard_.front();
    heard_.erase(heard_.begin());
    return out;
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

nlohmann::json device_of(const console_under_test& console, const std::string& name) {
  return console.json({"device", name}).value("device", nlohmann::json::object());
}

/// It has synced, and has nothing more to say.
void wait_until_quiet(const console_under_test& console, const agent_under_test& agent) {
  REQUIRE(eventually([&] {
    const auto waits = agent.run({"status", "--json"}).output;
    const auto device = device_of(console, agent.name());
    return device.value("lastSyncUs", "0") != "0" && device.value("state", "") == "idle" &&
           waits.find("\"events_waiting\":0") != std::string::npos;
  }));
}

} // namespace

TEST_CASE("a wake counts as it was sent and once, whatever else is sent to the device") {
  server_under_test server;
  server.start();
  const console_under_test console{server};
  const auto wake_port = free_udp_port();
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
    CHECK_MESSAGE(order->wait() == 0, order->output());
    CHECK_MESSAGE(order->output().find("after a wake") != std::string::npos, order->output());
    wait_until_quiet(console, agent);
    CHECK(translation.connections().size() == connections + 1);
    recorded.push_back(genuine);
  }
  // Nobody was answered: all that came is the server's.
  while (between.has_heard())
    CHECK(between.hear().bytes == recorded.back());
  CHECK(figures{server}.of("wakes_arrived_total") == 3);
  CHECK(agent.stop() == 0);
  CHECK(server.stop() == 0);
}

TEST_CASE("a notice counts as it was sent and once, and only its own answer ends the tries") {
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
  stranger.say(here, forged);
  REQUIRE(eventually(
    [&] { return figures{server}.of("notices_datagrams_refused_total") == forged.size(); }));
  CHECK(figures{server}.of("notices_taken_total") == 0);
  CHECK_FALSE(stranger.has_heard());
  CHECK(device_of(console, "tapped").value("state", "") == "idle");
  while (agent.program().wait(0ms) == std::nullopt && between.has_heard(1s))
    CHECK(between.hear().bytes == said.bytes); // the tries are the same
  CHECK(agent.program().wait() == 0);

  // It got through late, but it did; and its answer is no longer than the question.
  between.say(here, {said.bytes});
  const auto answer = between.hear();
  CHECK(answer.bytes.size() == net::acknowledgement_bytes);
  CHECK(answer.bytes.size() <= said.bytes.size());
  CHECK(device_of(console, "tapped").value("state", "") == "off");
  between.say(here, {said.bytes});
  CHECK(between.hear().bytes == answer.bytes);

  // Any hello ends it; then the recorded one is worth nothing, and is not even answered.
  agent.start();
  wait_until_quiet(console, agent);
  between.say(here, {said.bytes});
  REQUIRE(eventually([&] { return figures{server}.of("notices_refused_total") == 1; }));
  CHECK_FALSE(between.has_heard());
  CHECK(device_of(console, "tapped").value("state", "") == "idle");

  // The other way: nothing that is not exactly the answer to its present notice stops the tries.
  agent.program().signal(SIGTERM);
  const auto second = between.hear();
  CHECK(second.bytes != said.bytes);
  between.say(here, {second.bytes});
  const auto genuine = between.hear();
  REQUIRE(genuine.peer == here);
  auto useless = altered(genuine.bytes);
  useless.push_back(answer.bytes);
  useless.push_back(second.bytes);
  between.say(second.peer, useless);
  for (int more = 0; more < 2; ++more)
    CHECK(between.hear().bytes == second.bytes);
  between.say(second.peer, {genuine.bytes});
  CHECK(agent.program().wait() == 0);
  CHECK_FALSE(stranger.has_heard());
  CHECK(server.stop() == 0);
}
