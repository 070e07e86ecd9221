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
  }, 60s));
  CHECK(agent.stop() == 0);
  CHECK(server.stop() == 0);
}
