// The examples and the manual of groups and policies: every document in them is taken, and together
// they make a fleet.

#include "actors/rules/agent_policy.hpp"
#include "actors/rules/fleet_plan.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

using namespace muster::rules;

namespace {

std::string read_whole(const std::filesystem::path& file) {
  std::ifstream in(file, std::ios::binary);
  CAPTURE(file.string());
  REQUIRE(in.is_open());
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

std::vector<fleet_object> objects_in(const std::string& text, const std::string& name) {
  auto read = read_fleet(text, name);
  for (const auto& problem : read.problems)
    MESSAGE(problem);
  REQUIRE(read.problems.empty());
  CHECK_FALSE(read.objects.empty());
  return std::move(read.objects);
}

std::vector<fleet_object> examples() {
  std::vector<fleet_object> out;
  for (const auto& at : std::filesystem::directory_iterator{std::string{MUSTER_DOCS} + "/examples"})
    if (at.path().extension() == ".yaml")
      for (auto& one : objects_in(read_whole(at.path()), at.path().filename().string()))
        out.push_back(std::move(one));
  return out;
}

} // namespace

TEST_CASE("the examples make a fleet of their own, and applied twice they have nothing to do") {
  const auto wanted = examples();
  const auto plan = plan_fleet(wanted, {}, true);
  CHECK(plan.problems.empty());
  CHECK(plan.steps.size() == 12);
  const auto again = plan_fleet(wanted, wanted, true);
  CHECK(again.steps.empty());
  CHECK(again.unchanged == 12);
}

TEST_CASE("the agent's own policies among the examples are ones that agents go by") {
  int seen = 0;
  for (const auto& object : examples()) {
    if (object.kind() != fleet_kind::policy || object.name != agent_application)
      continue;
    std::vector<std::string> problems;
    static_cast<void>(read_agent_policy(std::get<policy>(object.spec).values, problems));
    CHECK(problems.empty());
    ++seen;
  }
  CHECK(seen == 2);
}

TEST_CASE("no permanent rule among the examples goes by what devices say of themselves") {
  int seen = 0;
  for (const auto& object : examples())
    if (const auto* const rule = std::get_if<rule_spec>(&object.spec)) {
      CHECK(advice_on(moving_rule_of(object.name, *rule, group_id{3})).empty());
      ++seen;
    }
  CHECK(seen == 2);
}

TEST_CASE("the documents in the manual are taken as they stand") {
  const auto text = read_whole(std::string{MUSTER_DOCS} + "/policies.md");
  const std::string opening = "```yaml\n";
  int blocks = 0;
  for (auto at = text.find(opening); at != std::string::npos; at = text.find(opening, at + 1)) {
    const auto begin = at + opening.size();
    const auto objects = objects_in(text.substr(begin, text.find("```", begin) - begin), "policies.md");
    CHECK(plan_fleet(objects, examples(), false).problems.empty());
    ++blocks;
  }
  CHECK(blocks == 1);
}
