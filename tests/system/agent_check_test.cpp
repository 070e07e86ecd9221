// Must hold: `muster-agent check` finds nothing where all is well, and else names what is wrong, at
// whose side, and what to do.

#include "tests/system/agent_side.hpp"
#include "tests/system/private_network.hpp"
#include "tests/system/wire_relay.hpp"

#include <doctest/doctest.h>

#include <algorithm>

using namespace muster::test;
using namespace std::chrono_literals;

namespace {

/// One run of the check, by its steps.
class checked {
public:
  explicit checked(const agent_under_test& agent, words more = {}) {
    more.insert(more.end(), {"check", "--json"});
    done_ = agent.run(std::move(more));
    said_ = nlohmann::json::parse(done_.output, nullptr, false);
    REQUIRE_MESSAGE(said_.is_object(), done_.output);
  }

  [[nodiscard]] bool well() const { return done_.exit_code == 0 && said_.value("ok", false); }
  [[nodiscard]] const std::string& output() const { return done_.output; }
  [[nodiscard]] nlohmann::json step(const std::string& name) const {
    for (const auto& one : said_["steps"])
      if (one.value("name", "") == name)
        return one;
    FAIL("no step " << name);
    return {};
  }
  [[nodiscard]] std::string result(const std::string& name) const {
    return step(name).value("result", "");
  }
  /// The names of those that failed.
  [[nodiscard]] words failed() const {
    words out;
    for (const auto& one : said_["steps"])
      if (one.value("result", "") == "failed")
        out.push_back(one.value("name", ""));
    return out;
  }

private:
  finished done_;
  nlohmann::json said_;
};

bool has(const nlohmann::json& step, const std::string& member, const std::string& part) {
  return step.value(member, "").find(part) != std::string::npos;
}

constexpr const char* udp_remedy = "a firewall or address translation between server and this machine "
                                   "drops UDP to port ";

} // namespace

TEST_CASE("where all is well the check says so, and disturbs nothing") {
  server_under_test server;
  server.start();
  wire_relay between{server.agents_port()};
  agent_under_test agent{server, "healthy",
                         callable(server, std::to_string(reserve_port()), {"--server", between.address()})};
  agent.start({"--sync-keep"});
  REQUIRE(eventually([&] { return has_synced(agent); }));
  REQUIRE(between.connections().size() == 1);

  for (int times = 0; times < 2; ++times) { // the second one's wake is another one
    const checked now{agent};
    CHECK_MESSAGE(now.well(), now.output());
    CHECK_MESSAGE(has(now.step("wakes"), "text", "one arrived after"), now.output());
    for (const auto* name : {"settings", "identity", "certificate", "agent", "name", "port", "tls",
                             "server's word", "clock"})
      CHECK_MESSAGE(now.result(name) == "ok", now.output());
    CHECK(now.result("plain") == "not tried");
  }
  // A handshake without a hello takes nothing over: the kept connection is the one from before.
  CHECK_FALSE(between.connections()[0].ended);
  CHECK(status_of(agent).value("connected", false));
  CHECK(agent.run({"check"}).exit_code == 0);
  CHECK(agent.stop() == 0);
  CHECK(server.stop() == 0);
}

TEST_CASE("a device behind address translation learns why it cannot be called") {
  server_under_test server;
  server.start();
  wire_relay translation{server.agents_port(), "127.0.0.2"};
  const auto port = std::to_string(reserve_port());
  agent_under_test agent{server, "inside", callable(server, port, {"--server", translation.address()})};
  agent.start();
  REQUIRE(eventually([&] { return has_synced(agent); }));
  const checked now{agent};
  CHECK_MESSAGE(now.failed() == words{"wakes"}, now.output());
  CHECK(now.step("wakes").value("fault", "") == "the network");
  CHECK_MESSAGE(has(now.step("wakes"), "remedy", udp_remedy + port), now.output());
  CHECK(agent.run({"check"}).exit_code == 1);
  CHECK(agent.stop() == 0);
  CHECK(server.stop() == 0);
}

TEST_CASE("a firewall that drops UDP is named") {
  if (!private_network::is_possible()) {
    MESSAGE("left out: no network namespaces here");
    return;
  }
  private_network net{2};
  server_under_test server{{}, net.on(0)};
  server.listen_on(net.address(0));
  server.start();
  agent_under_test agent{server, "walled", {"--notice-port", std::to_string(server.notices_port())},
                         net.on(1)};
  agent.start();
  REQUIRE(eventually([&] { return has_synced(agent); }));
  {
    const checked now{agent};
    CHECK_MESSAGE(now.well(), now.output());
  }
  net.drop_udp(1, 15000);
  const checked now{agent};
  CHECK_MESSAGE(now.failed() == words{"wakes"}, now.output());
  CHECK_MESSAGE(has(now.step("wakes"), "remedy", std::string{udp_remedy} + "15000"), now.output());
  CHECK(agent.stop() == 0);
  CHECK(server.stop() == 0);
}

TEST_CASE("a wrong port, a server that is stopped, and an agent that is not running") {
  server_under_test server;
  server.start();
  agent_under_test agent{server, "lonely", callable(server, std::to_string(reserve_port()))};
  agent.start();
  REQUIRE(eventually([&] { return has_synced(agent); }));

  // What answers there is no port for agents.
  const auto admin = "127.0.0.1:" + std::to_string(server.admin_port());
  const checked elsewhere{agent, {"--server", admin}};
  CHECK_FALSE(elsewhere.well());
  CHECK_MESSAGE(elsewhere.failed() == words{"tls"}, elsewhere.output());
  CHECK_MESSAGE(has(elsewhere.step("tls"), "remedy", "no Muster server for agents"),
                elsewhere.output());

  CHECK(agent.stop() == 0);
  const checked alone{agent};
  CHECK_MESSAGE(alone.failed() == words{"agent"}, alone.output());
  CHECK(alone.step("agent").value("fault", "") == "this machine");
  CHECK(alone.result("wakes") == "not tried");

  CHECK(server.stop() == 0);
  agent.start();
  const checked stopped{agent};
  const auto failed = stopped.failed();
  CHECK_MESSAGE(std::find(failed.begin(), failed.end(), "port") != failed.end(), stopped.output());
  CHECK(stopped.step("port").value("fault", "") == "the server");
  CHECK_MESSAGE(has(stopped.step("port"), "remedy", "nobody listens"), stopped.output());
  CHECK(stopped.result("tls") == "not tried");
  CHECK_MESSAGE(stopped.result("wakes") == "not tried", stopped.output());
  CHECK_MESSAGE(has(stopped.step("notices"), "text", "nobody listens"), stopped.output());
  CHECK(agent.stop() == 0);
}

TEST_CASE("a revoked device learns the server's word; the agent that was idle asks for it") {
  server_under_test server;
  server.start();
  const console_under_test console{server};
  agent_under_test agent{server, "outcast", callable(server, std::to_string(reserve_port()))};
  agent.start();
  REQUIRE(eventually([&] { return is_quiet(console, agent); }));
  REQUIRE(console.run({"revoke", "outcast"}).exit_code == 0);
  const checked now{agent};
  CHECK_MESSAGE(now.failed() == words{"server's word"}, now.output());
  CHECK_MESSAGE(has(now.step("server's word"), "text", "revoked"), now.output());
  CHECK(now.result("wakes") == "not tried");
  CHECK(status_of(agent).value("refusal", "") == "revoked");
  CHECK(agent.stop() == 0);
  CHECK(server.stop() == 0);
}

TEST_CASE("transport plain: both ports are looked at, and a device that only uses it can be woken") {
  server_under_test server{{"--plain-enabled"}};
  server.start();
  const console_under_test console{server};
  agent_under_test agent{server, "open-book",
                         callable(server, std::to_string(reserve_port()),
                                  {"--transport", "plain", "--plain-port",
                                   std::to_string(server.plain_port())})};
  agent.start();
  REQUIRE(eventually([&] { return has_synced(agent); }));
  CHECK(status_of(agent).value("wake_keys", false));
  const checked now{agent};
  CHECK_MESSAGE(now.well(), now.output());
  CHECK(now.result("plain") == "ok");
  CHECK_MESSAGE(has(now.step("wakes"), "text", "one arrived"), now.output());

  // After a restart it has the keys, and nothing but the plain port is used.
  CHECK(agent.stop() == 0);
  agent.start();
  REQUIRE(eventually([&] { return is_quiet(console, agent); }));
  const auto plain_figure = [&] {
    return figures{server}.of("agents_plain_connections_accepted_total");
  };
  const auto before = plain_figure();
  const auto done = console.run({"sync", "open-book"});
  CHECK_MESSAGE(done.exit_code == 0, done.output);
  CHECK_MESSAGE(done.output.find("after a wake") != std::string::npos, done.output);
  CHECK(plain_figure() == before + 1);
  CHECK(agent.stop() == 0);
  CHECK(server.stop() == 0);
}
