// Must hold: what an agent has taken into its spool reaches the server, once, whenever it dies.

#include "net/local_port.hpp"
#include "tests/system/fleet.hpp"

#include <doctest/doctest.h>

#include <map>
#include <random>

using namespace muster::test;
using namespace std::chrono_literals;

namespace {

/// Reports an event as any program of the machine may. True: the agent has it in its spool.
bool report(const agent_under_test& agent, int number) {
  std::string problem;
  const auto request = nlohmann::json{{"do", "event"},
                                      {"severity", number % 2 == 0 ? "info" : "warning"},
                                      {"type", "kill.test"},
                                      {"text", "event " + std::to_string(number)}}
                         .dump();
  const auto answer = muster::net::ask_local(agent.data() / "agent.sock", request, patience, problem);
  return answer && answer->find("\"ok\":true") != std::string::npos;
}

/// How often each event of ours is on the server.
std::map<std::string, int> count_events(const console_under_test& console) {
  std::map<std::string, int> out;
  for (const auto& event : console.list({"events", "--all"}, "events"))
    if (event.value("type", "") == "local.kill.test")
      ++out[event.value("text", "")];
  return out;
}

} // namespace

TEST_CASE("an agent killed again and again loses no event that it took, and sends none twice") {
  constexpr int rounds = 12;
  const auto seed = std::random_device{}();
  CAPTURE(seed);
  std::mt19937 random{seed};
  server_under_test server;
  server.start();
  agent_under_test agent{server, "mortal", {"--sync-keep"}};

  std::map<int, bool> taken; // by number: whether the agent said so
  int number = 0;
  for (int round = 0; round < rounds; ++round) {
    agent.start();
    for (auto left = random() % 25; left > 0; --left) {
      ++number;
      taken[number] = report(agent, number);
    }
    agent.kill();
  }
  agent.start();
  ++number;
  taken[number] = report(agent, number);
  CHECK(taken[number]);

  const console_under_test console{server};
  const auto last = "event " + std::to_string(number);
  REQUIRE(eventually([&] { return count_events(console).contains(last); }));
  const auto found = count_events(console);
  for (const auto& [which, was_taken] : taken) {
    CAPTURE(which);
    const auto at = found.find("event " + std::to_string(which));
    const int times = at == found.end() ? 0 : at->second;
    CHECK(times <= 1);
    if (was_taken)
      CHECK(times == 1);
  }
  CHECK(taken.size() > 20);
  CHECK(agent.stop() == 0);
  CHECK(server.stop() == 0);
}
