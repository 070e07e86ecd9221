// Must hold: every stop ends, and nobody is left without a word.

#include "tests/system/event_source.hpp"
#include "tests/system/fleet.hpp"
#include "tests/system/store_view.hpp"

#include <doctest/doctest.h>

#include <csignal>
#include <cstdlib>

using namespace muster;
using namespace muster::test;
using namespace std::chrono_literals;

namespace {

/// While there is a fleet: whoever asks it as a whole for a sync is told of each device how it ended.
void expect_all_to_sync(const console_under_test& console) {
  const auto begun = std::chrono::steady_clock::now();
  const auto asked = console.run({"sync", "load-*"});
  CHECK_MESSAGE(asked.exit_code == 0, asked.output);
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begun;
  MESSAGE("1,000 kept devices synced by one call in " << took.count() << " s");
  const auto calls = console.list({"calls"}, "calls");
  REQUIRE(calls.size() == 1);
  CHECK(calls[0]["byStep"].value("done", "") == "1000");
  CHECK(calls[0].value("devices", "") == "1000");
}

} // namespace

TEST_CASE("SIGTERM with 1,000 sessions and commits in progress: exit 0, in order, goodbyes said") {
  server_under_test server;
  server.start();
  event_source busy{server.enrol_wire_device("busy"), 1};
  auto who = server.enrol_wire_device("listener");
  process fleet{{MUSTER_LOAD_PATH, "keep", "--server", server.agents_address(), "--pin",
                 server.pin(), "--token", server.first_token(), "--agents", "1000", "--hold",
                 "600"}};
  REQUIRE_MESSAGE(fleet.expect("kept 1000, failed 0, lost 0", 3 * patience).has_value(), fleet.output());
  expect_all_to_sync(console_under_test{server});
  wire_client listener;
  REQUIRE(greet(listener, who, server.agents_port()) == "");
  busy.go(server.agents_port());
  REQUIRE(busy.has_acknowledged(50, patience));

  CHECK(server.stop() == 0);

  const auto last_words = listener.hear();
  REQUIRE(last_words.has_value());
  CHECK(last_words->goodbye().return_after_ms() >= 1'000);
  CHECK(last_words->goodbye().return_after_ms() <= 30'000);
  CHECK(fleet.expect("lost 1000").has_value());
  fleet.signal(SIGTERM);
  CHECK(fleet.wait() == 1);
  CHECK(fleet.output().find("1000 x the server says goodbye") != std::string::npos);
  busy.stop();
  CHECK_MESSAGE(busy.complaint().empty(), busy.complaint());
  const auto wrong = check_sequences(read_stored_events(server.data()), busy.device_id(),
                                     busy.epoch(), busy.acknowledged());
  CHECK_MESSAGE(wrong.empty(), wrong);
}

TEST_CASE("a server that has just started stops as well as one that has worked") {
  server_under_test server;
  server.start();
  CHECK(server.stop() == 0);
  server.start();
  CHECK(server.stop() == 0);
}

TEST_CASE("an agent stops at once, with or without a server") {
  server_under_test server;
  server.start();
  agent_under_test agent{server, "calm", {"--sync-keep"}};
  agent.start();
  CHECK(agent.stop() == 0);
  agent.start();
  server.kill();
  CHECK(agent.stop() == 0);
}
