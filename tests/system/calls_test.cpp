// What an administrator asks of devices, from the console to the agent and back: over a kept
// connection, and with the next one when there is none.

#include "tests/system/fleet.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <csignal>

using namespace muster::test;
using namespace std::chrono_literals;

namespace {

constexpr int exit_pending = 7;
constexpr int exit_interrupted = 130;

nlohmann::json device_of(const console_under_test& console, const std::string& name) {
  return console.json({"device", name}).value("device", nlohmann::json::object());
}

std::int64_t last_sync(const console_under_test& console, const std::string& name) {
  return std::stoll(device_of(console, name).value("lastSyncUs", "0"));
}

bool in_state(const console_under_test& console, const std::string& name,
              const std::string& state) {
  return device_of(console, name).value("state", "") == state;
}

} // namespace

TEST_CASE("a forced sync goes over the kept connection, at once, and the administrator is told") {
  server_under_test server;
  server.start();
  const console_under_test console{server};
  agent_under_test agent{server, "desk-1", {"--sync-keep"}};
  agent.start();
  REQUIRE(eventually([&] { return last_sync(console, "desk-1") > 0; }));
  const auto before = last_sync(console, "desk-1");

  const auto done = console.run({"sync", "desk-1"});
  CHECK_MESSAGE(done.exit_code == 0, done.output);
  CHECK_MESSAGE(done.output.starts_with("desk-1: done at "), done.output);
  CHECK_MESSAGE(done.output.find("over the kept connection") != std::string::npos, done.output);
  CHECK(done.output.find('\x1b') == std::string::npos);
  CHECK(last_sync(console, "desk-1") > before);

  const auto calls = console.list({"calls"}, "calls");
  REQUIRE(calls.size() == 1);
  CHECK(calls[0].value("kind", "") == "sync");
  CHECK(calls[0].value("target", "") == "desk-1");
  const auto call = console.json({"call", calls[0].value("id", "")});
  REQUIRE(call["rows"].size() == 1);
  CHECK(call["rows"][0].value("step", "") == "done");
  CHECK(call["rows"][0].value("way", "") == "kept");
  CHECK(console.json({"audit"}).dump().find("call.sync") != std::string::npos);
  CHECK(console.run({"sync", "desk-9"}).exit_code == 4);
  CHECK(agent.stop() == 0);
  CHECK(server.stop() == 0);
}

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

TEST_CASE("a connection is kept when an administrator wants it, over restarts of either side") {
  server_under_test server;
  server.start();
  const console_under_test console{server};
  agent_under_test agent{server, "desk-3"};
  agent.start();
  REQUIRE(eventually([&] { return last_sync(console, "desk-3") > 0; }));
  REQUIRE(eventually([&] { return !in_state(console, "desk-3", "connected"); }));

  // By whichever way it is reached, its next connection is kept.
  const auto kept = console.run({"keep", "on", "desk-3"});
  CHECK_MESSAGE((kept.exit_code == 0 || kept.exit_code == exit_pending), kept.output);
  CHECK(device_of(console, "desk-3").value("keep", false));
  CHECK(agent.run({"sync"}).exit_code == 0);
  REQUIRE(eventually([&] { return in_state(console, "desk-3", "connected"); }));
  const auto synced = console.run({"sync", "desk-3"});
  CHECK_MESSAGE(synced.output.find("over the kept connection") != std::string::npos,
                synced.output);

  CHECK(agent.stop() == 0);
  agent.start();
  REQUIRE(eventually([&] { return in_state(console, "desk-3", "connected"); }));
  CHECK(console.run({"sync", "desk-3"}).exit_code == 0);

  CHECK(server.stop() == 0);
  server.start();
  REQUIRE(console.log_in(server.first_password()).exit_code == 0);
  CHECK(device_of(console, "desk-3").value("keep", false));
  REQUIRE(eventually([&] { return in_state(console, "desk-3", "connected"); }, 60s));
  const auto again = console.run({"sync", "desk-3"});
  CHECK_MESSAGE(again.exit_code == 0, again.output);

  CHECK(console.run({"keep", "off", "desk-3"}).exit_code == 0);
  CHECK(eventually([&] { return !in_state(console, "desk-3", "connected"); }));
  CHECK(agent.stop() == 0);
  CHECK(server.stop() == 0);
}
