// Must hold: where a device cannot be woken the administrator is told what is true.

#include "tests/system/agent_side.hpp"
#include "tests/system/private_network.hpp"
#include "tests/system/wire_relay.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <csignal>
#include <memory>

using namespace muster::test;
using namespace std::chrono_literals;

namespace {

constexpr int exit_pending = 7;

words listening_on(const std::string& port) {
  return {"--wake-address", "127.0.0.1", "--wake-port", port};
}

} // namespace

TEST_CASE("a device behind address translation is queued, and nobody claims that it was reached") {
  server_under_test server;
  server.start();
  const console_under_test console{server};
  wire_relay translation{server.agents_port(), "127.0.0.2"};
  agent_under_test agent{server, "inside", listening_on(std::to_string(reserve_port()))};
  agent.start({"--server", translation.address()});
  REQUIRE(eventually([&] { return is_quiet(console, agent); }));
  CHECK(device_of(console, "inside").value("address", "").starts_with("127.0.0.2"));

  const auto asked = console.run({"sync", "inside"});
  CHECK_MESSAGE(asked.exit_code == exit_pending, asked.output);
  CHECK_MESSAGE(asked.output.find("no answer to 4 wakes") != std::string::npos, asked.output);
  CHECK_MESSAGE(asked.output.find("queued until") != std::string::npos, asked.output);
  CHECK(agent.stop() == 0);
  CHECK(server.stop() == 0);
}

TEST_CASE("a device whose UDP port is blocked: four wakes, the truth, and the next connection serves") {
  if (!private_network::is_possible()) {
    MESSAGE("left out: no network namespaces here");
    return;
  }
  constexpr std::uint16_t wake_port = 15000;
  private_network net{3};
  server_under_test server{{"--plain-enabled"}, net.on(0)};
  server.listen_on(net.address(0));
  server.start();
  const console_under_test console{server};
  agent_under_test secret{server, "blocked-tls", {"--wake-port", "15000"}, net.on(1)};
  agent_under_test open{server, "blocked-plain", {"--wake-port", "15000"}, net.on(2)};
  net.drop_udp(1, wake_port);
  net.drop_udp(2, wake_port);
  secret.start();
  open.start({"--transport", "plain", "--plain-port", std::to_string(server.plain_port())});
  REQUIRE(eventually([&] { return is_quiet(console, secret) && is_quiet(console, open); }));

  const auto asked = console.run({"sync", "blocked-*"});
  CHECK_MESSAGE(asked.exit_code == exit_pending, asked.output);
  const auto calls = console.list({"calls"}, "calls");
  REQUIRE(calls.size() == 1);
  const words newest{"call", calls[0].value("id", "")};
  const auto rows = console.json(newest)["rows"];
  REQUIRE(rows.size() == 2);
  for (const auto& row : rows) {
    CAPTURE(row.dump());
    CHECK(row.value("step", "") == "queued");
    CHECK(row.value("way", "") == "next_contact");
    CHECK(row.value("text", "") == "no answer to 4 wakes");
    // Until about the end of its period, which is 15 minutes.
    const auto device = device_of(console, row.value("deviceName", ""));
    const auto waits = std::stoll(row.value("untilUs", "0")) -
                       std::stoll(device.value("lastContactUs", "0"));
    CHECK(waits > 13 * 60'000'000LL);
    CHECK(waits < 17 * 60'000'000LL);
  }

  CHECK(secret.run({"sync"}).exit_code == 0);
  CHECK(open.run({"sync"}).exit_code == 0);
  CHECK(eventually([&] {
    const auto now = console.json(newest)["rows"];
    return std::all_of(now.begin(), now.end(), [](const auto& row) {
      return row.value("step", "") == "done" && row.value("way", "") == "next_contact";
    });
  }));
  CHECK(secret.stop() == 0);
  CHECK(open.stop() == 0);
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
  for (const auto& agent : agents)
    REQUIRE(eventually([&] { return is_quiet(console, *agent); }));

  // One does not get to say good-bye.
  net.set_plugged(0, false);
  agents[0]->kill();
  for (std::size_t i = 1; i < office; ++i)
    agents[i]->program().signal(SIGTERM);
  for (std::size_t i = 1; i < office; ++i)
    CHECK(agents[i]->program().wait() == 0);
  CHECK(eventually([&] { return in_state("off") == office - 1; }));
  CHECK(state_of(console, "desk-0") == "idle");

  CHECK(server.stop() == 0);
  server.start();
  REQUIRE(console.log_in(server.first_password()).exit_code == 0);
  CHECK(in_state("off") == office - 1);
  CHECK(in_state("silent") == 0);
  CHECK(server.stop() == 0);
}
