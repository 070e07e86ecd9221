// Must hold: one session per device; who comes twice, and who comes back from the past, is noticed.

#include "tests/system/agent_side.hpp"

#include <doctest/doctest.h>

using namespace muster;
using namespace muster::test;
using namespace std::chrono_literals;

namespace {

bool has_event(const console_under_test& console, const std::string& type) {
  for (const auto& event : console.list({"events", "--all"}, "events"))
    if (event.value("type", "") == type)
      return true;
  return false;
}

} // namespace

TEST_CASE("the same machine coming again takes over, and the old connection is let go") {
  server_under_test server;
  server.start();
  auto who = server.enrol_wire_device("restarted");
  wire_client old;
  REQUIRE(greet(old, who, server.agents_port()) == "");
  wire_client young;
  REQUIRE(greet(young, who, server.agents_port()) == "");
  const auto last_words = old.hear();
  REQUIRE(last_words.has_value());
  CHECK(last_words->has_goodbye());
  CHECK(old.ends_within());
  CHECK_FALSE(young.ends_within(200ms));
  const console_under_test console{server};
  CHECK(state_of(console, "restarted") == "connected");
}

TEST_CASE("a clone is refused while the original is alive, and the server tells of it") {
  server_under_test server;
  server.start();
  auto original = server.enrol_wire_device("original");
  auto clone = original;
  clone.boot = std::string(16, 'c');
  wire_client first;
  REQUIRE(greet(first, original, server.agents_port()) == "");
  wire_client second;
  REQUIRE(second.connect(clone, server.agents_port()) == "");
  clone.counter = 100;
  REQUIRE(second.say(make_hello(clone)));
  // The original answers the server's question on the way, whenever it comes.
  std::optional<wire::server_message> answer;
  CHECK(eventually([&] {
    CHECK_FALSE(first.hear(20ms).has_value());
    answer = second.hear(20ms);
    return answer.has_value();
  }));
  REQUIRE(answer.has_value());
  CHECK(answer->refused().reason() == wire::refusal_identity_in_use);
  CHECK(answer->refused().text().find("in use elsewhere") != std::string::npos);
  CHECK_FALSE(first.ends_within(200ms));
  const console_under_test console{server};
  CHECK(eventually([&] { return has_event(console, "device.identity_in_use"); }));
}

TEST_CASE(
  "an agent whose data directory was restored is told that it went back, and loses nothing") {
  server_under_test server;
  server.start();
  agent_under_test agent{server, "restored", {"--sync-keep"}};
  agent.start();
  CHECK(agent.run({"event", "before the backup"}).exit_code == 0);
  // The backup knows that the server has it; else it would have to send it again, numbered anew.
  REQUIRE(eventually([&] { return status_of(agent).value("events_waiting", 1) == 0; }));
  CHECK(agent.stop() == 0);
  temporary_directory backup;
  namespace fs = std::filesystem;
  fs::copy(agent.data(), backup.path() / "agent", fs::copy_options::recursive);

  agent.start();
  CHECK(agent.run({"event", "after the backup"}).exit_code == 0);
  const console_under_test console{server};
  const auto has_text = [&](const std::string& text) {
    for (const auto& event : console.list({"events", "--all"}, "events"))
      if (event.value("text", "") == text)
        return true;
    return false;
  };
  REQUIRE(eventually([&] { return has_text("after the backup"); }));
  CHECK(agent.stop() == 0);
  fs::remove_all(agent.data());
  fs::copy(backup.path() / "agent", agent.data(), fs::copy_options::recursive);

  agent.start();
  CHECK(eventually([&] { return has_event(console, "device.went_back"); }));
  CHECK(agent.run({"event", "after the restore"}).exit_code == 0);
  CHECK(eventually([&] { return has_text("after the restore"); }));
  CHECK(agent.stop() == 0);
  std::map<std::string, int> times;
  for (const auto& event : console.list({"events", "--all"}, "events"))
    ++times[event.value("text", "")];
  CHECK(times["before the backup"] == 1);
  CHECK(times["after the backup"] == 1);
  CHECK(times["after the restore"] == 1);
}
