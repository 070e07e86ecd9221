// Must hold, on several hosts: what the server and the agents of an office see of each other.

#include "tests/system/private_network.hpp"

#include <doctest/doctest.h>

using namespace muster::test;
using namespace std::chrono_literals;

TEST_CASE("a device that goes off the network is idle first, and an event is told later") {
  if (!private_network::is_possible()) {
    MESSAGE("left out: no network namespaces here");
    return;
  }
  private_network net{2};
  server_under_test server{{}, net.on(0)};
  server.listen_on(net.address(0));
  server.start();
  agent_under_test agent{server, "far", {}, net.on(1)};
  agent.start();
  const console_under_test console{server};
  REQUIRE(eventually([&] {
    const auto devices = console.list({"devices"}, "devices");
    return devices.size() == 1 && devices[0].value("state", "") == "idle";
  }));
  net.set_plugged(1, false);
  CHECK(agent.run({"sync"}).exit_code != 0);
  CHECK(agent.run({"event", "--severity", "warning", "unplugged"}).exit_code == 0);
  net.set_plugged(1, true);
  CHECK(eventually([&] {
    for (const auto& event : console.list({"events"}, "events"))
      if (event.value("text", "") == "unplugged")
        return true;
    return false;
  }, comeback_max));
  CHECK(agent.stop() == 0);
  CHECK(server.stop() == 0);
}

TEST_CASE("a kept connection whose peer vanished without a word is noticed by both sides in time") {
  if (!private_network::is_possible()) {
    MESSAGE("left out: no network namespaces here");
    return;
  }
  private_network net{3};
  server_under_test server{{"--plain-enabled", "--agents-keep-alive", "1s"}, net.on(0)};
  server.listen_on(net.address(0));
  server.start();
  const console_under_test console{server};
  const words kept{"--sync-keep", "--keep-alive", "1s"};
  agent_under_test secret{server, "kept-tls", kept, net.on(1)};
  agent_under_test open{server, "kept-plain", kept, net.on(2)};
  secret.start();
  open.start({"--transport", "plain", "--plain-port", std::to_string(server.plain_port())});
  const auto connected = [&] {
    return console.list({"devices", "state:connected"}, "devices").size();
  };
  const auto knows = [](const agent_under_test& agent) {
    return agent.run({"status", "--json"}).output.find("\"connected to ") != std::string::npos;
  };
  REQUIRE(eventually([&] { return connected() == 2 && knows(secret) && knows(open); }));

  net.set_plugged(1, false);
  net.set_plugged(2, false);
  // By itself TCP would take a quarter of an hour.
  CHECK(eventually([&] { return connected() == 0; }));
  CHECK(eventually([&] { return !knows(secret) && !knows(open); }));

  net.set_plugged(1, true);
  net.set_plugged(2, true);
  CHECK(eventually([&] { return connected() == 2; }, comeback_max));
  CHECK(secret.stop() == 0);
  CHECK(open.stop() == 0);
  CHECK(server.stop() == 0);
}
