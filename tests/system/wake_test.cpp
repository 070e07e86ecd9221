// Must hold: a device that has no connection is woken, and where that cannot be the administrator
// is told what is true.

#include "tests/system/agent_side.hpp"
#include "tests/system/private_network.hpp"
#include "tests/system/wire_relay.hpp"

#include <doctest/doctest.h>

#include <csignal>
#include <memory>

using namespace muster::test;
using namespace std::chrono_literals;

namespace {

constexpr int exit_pending = 7;

words listening_on(const std::string& port) {
  return {"--wake-address", "127.0.0.1", "--wake-port", port};
}

nlohmann::json device_of(const console_under_test& console, const std::string& name) {
  return console.json({"device", name}).value("device", nlohmann::json::object());
}

/// In microseconds; 0: never.
std::uint64_t last_sync(const console_under_test& console, const std::string& name) {
  return std::stoull(device_of(console, name).value("lastSyncUs", "0"));
}

/// It has synced, again after the sync of `before` if that is given, and its connection is over.
bool is_idle(const console_under_test& console, const std::string& name, std::uint64_t before = 0) {
  return last_sync(console, name) > before && device_of(console, name).value("state", "") == "idle";
}

} // namespace

TEST_CASE("a device without a connection is woken and syncs, after restarts of either side too") {
  server_under_test server;
  server.start();
  const console_under_test console{server};
  agent_under_test agent{server, "sleeper", listening_on(free_udp_port())};
  agent.start();
  REQUIRE(eventually([&] { return is_idle(console, "sleeper"); }));

  const auto expect_woken = [&] {
    const auto before = last_sync(console, "sleeper");
    const auto done = console.run({"sync", "sleeper"});
    CHECK_MESSAGE(done.exit_code == 0, done.output);
    CHECK_MESSAGE(done.output.find("after a wake") != std::string::npos, done.output);
    REQUIRE(eventually([&] { return is_idle(console, "sleeper", before); }));
  };
  expect_woken();
  // Whatever counter was used is not used again, however the server ended.
  server.kill();
  server.start();
  REQUIRE(console.log_in(server.first_password()).exit_code == 0);
  expect_woken();
  const auto before = last_sync(console, "sleeper");
  agent.kill();
  agent.start();
  REQUIRE(eventually([&] { return is_idle(console, "sleeper", before); }));
  expect_woken();
  CHECK(agent.stop() == 0);
  CHECK(server.stop() == 0);
}

TEST_CASE("a device behind address translation is queued, and nobody claims that it was reached") {
  server_under_test server;
  server.start();
  const console_under_test console{server};
  wire_relay translation{server.agents_port(), "127.0.0.2"};
  agent_under_test agent{server, "inside", listening_on(free_udp_port())};
  agent.start({"--server", translation.address()});
  REQUIRE(eventually([&] { return is_idle(console, "inside"); }));
  CHECK(device_of(console, "inside").value("address", "").starts_with("127.0.0.2"));

  const auto asked = console.run({"sync", "inside"});
  CHECK_MESSAGE(asked.exit_code == exit_pending, asked.output);
  CHECK_MESSAGE(asked.output.find("no answer to 4 wakes") != std::string::npos, asked.output);
  CHECK_MESSAGE(asked.output.find("queued until") != std::string::npos, asked.output);
  CHECK(agent.stop() == 0);
  CHECK(server.stop() == 0);
}

TEST_CASE("an office that goes home is told from a device that fell silent") {
  if (!private_network::is_possible()) {
    MESSAGE("left out: no network namespaces here");
    return;
  }
  constexpr std::size_t office = 20;
  private_network net{office + 1};
  server_under_test server{{}, net.on(office)};
  server.listen_on(net.address(office));
  server.start();
  const auto notices = std::to_string(server.notices_port());
  std::vector<std::unique_ptr<agent_under_test>> agents;
  for (std::size_t i = 0; i < office; ++i) {
    agents.push_back(std::make_unique<agent_under_test>(
      server, "desk-" + std::to_string(i), words{"--notice-port", notices}, net.on(i)));
    agents.back()->start();
  }
  const console_under_test console{server};
  const auto in_state = [&](const std::string& state) {
    return console.list({"devices", "state:" + state}, "devices").size();
  };
  REQUIRE(eventually([&] { return in_state("idle") == office; }, 60s));

  // One does not get to say good-bye.
  net.set_plugged(0, false);
  agents[0]->kill();
  for (std::size_t i = 1; i < office; ++i)
    agents[i]->program().signal(SIGTERM);
  for (std::size_t i = 1; i < office; ++i)
    CHECK(agents[i]->program().wait() == 0);
  CHECK(eventually([&] { return in_state("off") == office - 1; }));
  CHECK(device_of(console, "desk-0").value("state", "") == "idle");

  CHECK(server.stop() == 0);
  server.start();
  REQUIRE(console.log_in(server.first_password()).exit_code == 0);
  CHECK(in_state("off") == office - 1);
  CHECK(in_state("silent") == 0);
  CHECK(server.stop() == 0);
}
