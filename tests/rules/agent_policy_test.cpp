#include "actors/rules/agent_policy.hpp"

#include "tests/rules/settings_world.hpp"

#include <doctest/doctest.h>

using namespace muster::rules;
using muster::test::json;

namespace {

struct outcome {
  agent_policy policy;
  std::vector<std::string> problems;
};

outcome read(std::string_view text) {
  outcome out;
  out.policy = read_agent_policy(json(text), out.problems);
  return out;
}

} // namespace

TEST_CASE("what an agent's policy leaves open stays open") {
  CHECK(read("{}").policy == agent_policy{});
  CHECK(read("{}").problems.empty());
  const auto some = read(R"({"keep": false})");
  CHECK(some.policy == agent_policy{{}, {}, false});
  CHECK(some.problems.empty());
}

TEST_CASE("an agent's policy sets period, jitter and kept connection") {
  const auto all = read(R"({"sync_period_s": 60, "sync_jitter_percent": 0, "keep": true})");
  CHECK(all.policy == agent_policy{60, 0, true});
  CHECK(all.problems.empty());
}

TEST_CASE("an agent's policy keeps to its bounds, and to its kinds of values") {
  CHECK(read(R"({"sync_period_s": 10})").problems.empty());
  CHECK(read(R"({"sync_period_s": 2592000})").problems.empty());
  CHECK(read(R"({"sync_jitter_percent": 50})").problems.empty());
  for (const auto* text :
       {R"({"sync_period_s": 9})", R"({"sync_period_s": 2592001})", R"({"sync_period_s": -60})",
        R"({"sync_period_s": 60.0})", R"({"sync_period_s": "60"})", R"({"sync_period_s": null})",
        R"({"sync_period_s": 4294967306})", R"({"sync_jitter_percent": 51})",
        R"({"sync_jitter_percent": -1})", R"({"sync_jitter_percent": true})", R"({"keep": "yes"})",
        R"({"keep": 1})", R"({"keep": {}})"}) {
    CAPTURE(text);
    const auto refused = read(text);
    CHECK(refused.policy == agent_policy{});
    CHECK(refused.problems.size() == 1);
  }
  CHECK(read(R"({"sync_period_s": 9})").problems.front() ==
        "'sync_period_s' is a whole number from 10 to 2592000");
}

TEST_CASE("a name that an agent's policy does not have is a problem, and the rest is read") {
  const auto odd = read(R"({"sync_period": 60, "keep": true, "a\nb": 1})");
  CHECK(odd.policy == agent_policy{{}, {}, true});
  REQUIRE(odd.problems.size() == 2);
  CHECK(odd.problems[0] == "the agent has no setting '\"a\\nb\"'; it has sync_period_s, "
                           "sync_jitter_percent and keep");
  CHECK(
    odd.problems[1] ==
    "the agent has no setting 'sync_period'; it has sync_period_s, sync_jitter_percent and keep");
}

TEST_CASE("an agent's policy that is no map is a problem") {
  std::vector<std::string> problems;
  CHECK(read_agent_policy(settings_value{1}, problems) == agent_policy{});
  CHECK(problems.size() == 1);
}
