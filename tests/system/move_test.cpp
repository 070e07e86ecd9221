// Must hold: a device goes to another server, or follows its own to another address, and at no
// moment belongs to none.

#include "net/agent_identity.hpp"
#include "tests/system/agent_side.hpp"
#include "tests/system/wire_relay.hpp"

#include <doctest/doctest.h>

#include <poll.h>

#include <algorithm>
#include <csignal>

using namespace muster;
using namespace muster::test;
using namespace std::chrono_literals;

namespace {

net::agent_identity identity_of(const agent_under_test& agent) {
  std::string problem;
  auto out = net::load_agent_identity(agent.data() / "identity", problem);
  REQUIRE_MESSAGE(out.has_value(), problem);
  return *out;
}

words going_to(const server_under_test& server, const std::string& token) {
  return {"move", "--server", server.agents_address(), "--pin", server.pin(), "--token", token};
}

int lines_in(const std::string& text) {
  return static_cast<int>(std::count(text.begin(), text.end(), '\n'));
}

/// How many events of this text the server has.
std::size_t events_with(const console_under_test& console, const std::string& text) {
  std::size_t out = 0;
  for (const auto& event : console.list({"events", "--all"}, "events"))
    out += event.value("text", "") == text ? 1 : 0;
  return out;
}

} // namespace

TEST_CASE("a device goes to another server and takes along what the old one has not got") {
  server_under_test home;
  home.start();
  server_under_test other;
  other.start();
  const console_under_test there{other};
  // The setting that names the old server is void from then on.
  agent_under_test agent{home, "mover",
                         callable(home, std::to_string(reserve_port()), {"--server", home.agents_address()})};
  agent.start();
  REQUIRE(eventually([&] { return has_synced(agent); }));
  const auto before = identity_of(agent);

  const auto expect_refused = [&](const words& order, const std::string& why) {
    const auto done = agent.run(order);
    CHECK(done.exit_code == 1);
    CHECK_MESSAGE(done.output.find(why) != std::string::npos, done.output);
    CHECK_MESSAGE(lines_in(done.output) == 1, done.output);
    CHECK(identity_of(agent).device_id == before.device_id);
    CHECK(identity_of(agent).server == before.server);
  };
  auto wrong = going_to(other, other.first_token());
  wrong[4] = std::string(64, '0');
  expect_refused(wrong, other.pin());
  expect_refused(going_to(other, "no-such-token"), "refused the token");
  expect_refused({"move", "--server", other.agents_address()}, "--pin and --token");
  CHECK(agent.run({"sync"}).exit_code == 0); // it is where it was

  // Nobody has these but the device itself.
  CHECK(home.stop() == 0);
  for (const auto* text : {"first", "second"})
    REQUIRE(agent.run({"event", "--severity", "warning", text}).exit_code == 0);
  const auto pid = agent.program().id();
  const auto done = agent.run(going_to(other, other.first_token()));
  REQUIRE_MESSAGE(done.exit_code == 0, done.output);
  CHECK_MESSAGE(done.output.find("the running agent starts anew") != std::string::npos, done.output);
  CHECK(identity_of(agent).device_id != before.device_id);
  REQUIRE(eventually([&] {
    return status_of(agent).value("server", "") == other.agents_address() && has_synced(agent);
  }, comeback_max));
  CHECK(agent.program().id() == pid);
  CHECK_FALSE(agent.program().wait(0ms).has_value());
  for (const auto* text : {"first", "second"}) {
    CHECK(eventually([&] { return events_with(there, text) > 0; }));
    CHECK(events_with(there, text) == 1);
  }
  CHECK(there.list({"devices"}, "devices").size() == 1);
  CHECK(eventually([&] { return status_of(agent).value("events_waiting", 1) == 0; }));
  CHECK(agent.stop() == 0);
  CHECK(other.stop() == 0);
}

TEST_CASE("a device follows its server to another address as the same device, without a token") {
  server_under_test server;
  server.start();
  const console_under_test console{server};
  agent_under_test agent{server, "follower", callable(server, std::to_string(reserve_port()))};
  agent.start();
  REQUIRE(eventually([&] { return has_synced(agent); }));
  const auto before = identity_of(agent);
  wire_relay address{server.agents_port()};
  const auto done = agent.run({"move", "--server", address.address()});
  REQUIRE_MESSAGE(done.exit_code == 0, done.output);
  CHECK_MESSAGE(done.output.find("the same server") != std::string::npos, done.output);
  REQUIRE(eventually([&] {
    return status_of(agent).value("server", "") == address.address() && has_synced(agent);
  }));
  CHECK(identity_of(agent).device_id == before.device_id);
  CHECK(identity_of(agent).key.spki_sha256() == before.key.spki_sha256());
  CHECK(status_of(agent).value("wake_keys", false)); // they are the same device's
  CHECK(console.list({"devices"}, "devices").size() == 1);
  CHECK(agent.stop() == 0);

  // Without an agent it is said who goes there.
  const auto back = agent.run({"move", "--server", server.agents_address()});
  CHECK(back.exit_code == 0);
  CHECK_MESSAGE(back.output.find("no agent runs here") != std::string::npos, back.output);
  CHECK(identity_of(agent).server == server.agents_address());
  CHECK(server.stop() == 0);
}

TEST_CASE("a move that is killed leaves the one enrolment or the other, and a retry ends it") {
  server_under_test home;
  home.start();
  server_under_test other;
  other.start();
  const console_under_test there{other};
  const auto token = there.json({"token", "create", "--name", "once", "--uses", "1"}).value("secret", "");
  REQUIRE_FALSE(token.empty());
  agent_under_test agent{home, "clumsy", callable(home, std::to_string(reserve_port()))};
  const auto before = identity_of(agent);
  bool moved = false;
  for (int ms = 0; ms < 160 && !moved; ms += 8) {
    words command{MUSTER_AGENT_PATH, "--config", (agent.data().parent_path() / "agent.toml").string(),
                  "--data", agent.data().string(), "--name", agent.name()};
    for (auto& word : going_to(other, token))
      command.push_back(std::move(word));
    process order{std::move(command)};
    ::poll(nullptr, 0, ms); // wherever it is by then
    order.signal(SIGKILL);
    REQUIRE(order.wait().has_value());
    const auto now = identity_of(agent); // whole, whichever it is
    moved = now.device_id != before.device_id;
    CHECK(now.server == (moved ? other.agents_address() : home.agents_address()));
  }
  const auto done = agent.run(going_to(other, token));
  CHECK_MESSAGE(done.exit_code == 0, done.output);
  CHECK(identity_of(agent).device_id != before.device_id);
  CHECK(identity_of(agent).server == other.agents_address());
  CHECK(there.list({"devices"}, "devices").size() == 1); // one use of the token, one device
  agent.start();
  CHECK(eventually([&] { return has_synced(agent); }));
  CHECK(agent.stop() == 0);
  CHECK(other.stop() == 0);
  CHECK(home.stop() == 0);
}
