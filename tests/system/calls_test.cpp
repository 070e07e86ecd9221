// What an administrator asks of devices that are away. Those that can be reached: both_ports_test.

#include "tests/system/fleet.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <csignal>

using namespace muster::test;
using namespace std::chrono_literals;

namespace {

constexpr int exit_pending = 7;
constexpr int exit_interrupted = 130;

} // namespace

TEST_CASE("a device that is away is queued, and its next connection serves the call") {
  server_under_test server;
  server.start();
  const console_under_test console{server};
  auto who = server.enrol_wire_device("desk-2");

  const auto queued = console.run({"sync", "desk-2"});
  CHECK_MESSAGE(queued.exit_code == exit_pending, queued.output);
  CHECK_MESSAGE(queued.output.find("queued until") != std::string::npos, queued.output);

  // Somebody waits for it, somebody else has seen enough.
  const auto patient = console.follow({"sync", "desk-2", "--wait"});
  const auto hasty = console.follow({"sync", "desk-2", "--wait"});
  REQUIRE(eventually([&] {
    const auto calls = console.list({"calls"}, "calls");
    return calls.size() == 3
           && std::all_of(calls.begin(), calls.end(), [](const auto& one) {
                return one["byStep"].value("queued", "") == "1";
              });
  }));
  hasty->signal(SIGINT);
  CHECK(hasty->wait() == exit_interrupted);
  CHECK(console.run({"sync", "desk-2", "--wait", "--timeout", "200ms"}).exit_code == exit_pending);

  wire_client client;
  REQUIRE(greet(client, who, server.agents_port()) == "");
  CHECK_MESSAGE(patient->wait() == 0, patient->output());
  CHECK(eventually([&] {
    for (const auto& one : console.list({"calls"}, "calls"))
      if (one["byStep"].value("done", "") != "1")
        return false;
    return true;
  }));
  CHECK(server.stop() == 0);
}
