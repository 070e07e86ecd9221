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

TEST_CASE("what was queued for a device is served by its next connection, also by a killed server") {
  server_under_test server;
  server.start();
  const console_under_test console{server};
  auto who = server.enrol_wire_device("desk-4");
  CHECK(console.run({"keep", "on", "desk-4"}).exit_code == exit_pending);
  CHECK(console.run({"sync", "desk-4"}).exit_code == exit_pending);
  const auto patient = console.follow({"sync", "desk-4", "--wait"});
  REQUIRE(eventually([&] { return console.list({"calls"}, "calls").size() == 3; }));

  server.kill();
  server.start();
  // Whoever waited over it is not told that it is done: of that call nothing is known any more.
  const auto end = patient->wait();
  REQUIRE(end.has_value());
  CHECK_MESSAGE(*end != 0, patient->output());
  CHECK(patient->output().find("done") == std::string::npos);
  REQUIRE(console.log_in(server.first_password()).exit_code == 0);
  CHECK(console.json({"device", "desk-4"})["device"].value("keep", false));
  // Calls are not kept: each connection begins with a sync anyway, and that it is to stay is on record.
  CHECK(console.list({"calls"}, "calls").empty());
  wire_client client;
  REQUIRE(client.connect(who, server.agents_port()) == "");
  REQUIRE(client.say(make_hello(who)));
  const auto answer = client.hear();
  REQUIRE(answer.has_value());
  CHECK(answer->welcome().keep());
  CHECK(eventually([&] {
    return std::stoll(console.json({"device", "desk-4"})["device"].value("lastSyncUs", "0")) > 0;
  }));
  CHECK(server.stop() == 0);
}
