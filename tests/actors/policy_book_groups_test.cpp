// Groups that move, what moves with them, and how much policies may say together.

#include "tests/actors/policy_book_world.hpp"

#include <doctest/doctest.h>

using namespace muster;
using namespace muster::test;

namespace {

std::string base() {
  using world = policy_book_world;
  return world::group("eu") + world::group("eu/berlin") + world::group("eu/berlin/mitte") +
         world::group("us") + world::policy("eu/berlin", "sshd", "{Port: 22}") +
         world::policy("us", "sshd", "{Port: 23}",
                       "  profiles:\n    - {name: p, when: \"os:debian group:us,eu/Berlin\", "
                       "settings: {A: 1}}\n") +
         world::rule("to-mitte", "eu/berlin/mitte") + world::rule("to-us", "us") +
         world::task("look", "group:/eu/berlin/mitte/ tag:x");
}

} // namespace

TEST_CASE("a target follows a group that gets another path") {
  CHECK(moved_target("group:eu/berlin", "eu/berlin", "us/munich") == "group:us/munich");
  CHECK(moved_target("web-* group:/EU/Berlin/mitte/,us tag:eu", "eu/berlin", "x") ==
        "web-* group:x/mitte,us tag:eu");
  CHECK(moved_target("group:eu", "eu/berlin", "x") == "group:eu");
  CHECK(moved_target("group:eu/berlin2 group:*/berlin", "eu/berlin", "x") ==
        "group:eu/berlin2 group:*/berlin");
  CHECK(moved_target("group:eu/berlin/m*", "eu/berlin", "x") == "group:x/m*");
  CHECK(moved_target("eu", "eu", "x") == "eu");
  CHECK(moved_target("", "eu", "x").empty());
}

TEST_CASE_FIXTURE(policy_book_world, "a group moves with all below it, and what names it follows") {
  made(base());
  const auto moved = move("EU/Berlin/", "/us/Munich");
  REQUIRE(moved.plan.problems.empty());
  CHECK(moved.revision == 2);
  std::set<std::string> steps;
  for (const auto& step : moved.plan.steps)
    steps.insert(rules::summary_of(step));
  CHECK(steps == std::set<std::string>{"change group 'us/Munich': path",
                                       "change rule 'to-mitte': moveTo",
                                       "change task 'look': target",
                                       "change policy 'sshd' of group 'us': profiles[0].when"});
  const auto now = fleet();
  CHECK(now->groups.path({4}) == "us/Munich");
  CHECK(now->groups.path({5}) == "us/Munich/mitte");
  const auto* munich = standing(*now, "us/munich", "sshd");
  REQUIRE(munich != nullptr);
  CHECK(munich->policy->group == "us/Munich");
  CHECK(munich->revision == 1);
  CHECK(munich->policy->values == json(R"({"Port": 22})"));
  CHECK(standing(*now, "us", "sshd")->policy->profiles.front().when.text() ==
        "os:debian group:us,us/Munich");
  CHECK(standing(*now, "us", "sshd")->revision == 2);
  for (const auto& one : now->moving)
    CHECK(one.target == rules::group_id{one.name == "to-us" ? 6U : 5U});
  CHECK(std::get<rules::task_spec>(now->tasks.front().object.spec).target ==
        "group:us/Munich/mitte tag:x");
  CHECK(history({rules::fleet_kind::group, "", "us/munich"}).size() == 2);
  CHECK(history({rules::fleet_kind::policy, "us/munich", "sshd"}).size() == 1);
  CHECK(audited()[9] == "group.move eu/berlin: to us/Munich");
  const auto text = described();
  restart();
  CHECK(described() == text);
  // And back: everything is as it was, but for the revisions.
  CHECK(move("us/munich", "eu/berlin").plan.problems.empty());
  CHECK(fleet()->groups.path({5}) == "eu/berlin/mitte");
  CHECK(made(base(), true).plan.steps.size() == 2); // how the paths were written: case, slashes
}

TEST_CASE_FIXTURE(policy_book_world, "a group gets another name, or only another letter case") {
  made(base());
  CHECK(move("eu", "EU").plan.problems.empty());
  CHECK(fleet()->groups.path({3}) == "EU");
  CHECK(fleet()->groups.path({5}) == "EU/berlin/mitte");
  CHECK(move("eu/berlin", "eu/hamburg").plan.problems.empty());
  CHECK(fleet()->groups.find("eu/hamburg/mitte"));
  const auto writes = db->writes();
  const auto same = move("eu/hamburg", "EU/hamburg");
  CHECK(same.plan.unchanged == 1);
  CHECK(same.revision == 3);
  CHECK(db->writes() == writes);
}

TEST_CASE_FIXTURE(policy_book_world, "a group may pass through names that are taken on its way") {
  made(group("a") + group("a/x") + group("a/y") + group("b") + group("b/x"));
  CHECK(move("a/x", "b/y").plan.problems.empty());
  CHECK(fleet()->groups.path({4}) == "b/y");
  CHECK(move("b/y", "a/x").plan.problems.empty());
  CHECK(fleet()->groups.path({4}) == "a/x");
}

TEST_CASE_FIXTURE(policy_book_world, "a group does not go where it cannot be") {
  made(base());
  const auto before = described();
  const auto problem = [&](const std::string& from, const std::string& to) {
    const auto refused = move(from, to);
    return refused.plan.problems.size() == 1 ? refused.plan.problems.front() : "";
  };
  CHECK(problem("asia", "eu/asia") == "group 'asia': there is no such group");
  CHECK(problem("eu", "eu/berlin/eu") == "group 'eu': a group cannot be moved below itself");
  CHECK(problem("eu/berlin", "us/x/y") == "group 'eu/berlin': there is no group 'us/x' to be in");
  CHECK(problem("eu", "US") == "group 'eu': there is a group 'us' already");
  CHECK(problem("eu", "unassigned/eu") == "group 'eu': there can be no groups in 'unassigned'");
  CHECK(problem("unassigned", "new").starts_with("group 'unassigned': 'unassigned' stays"));
  CHECK(problem("/", "new").starts_with("group '': the root stays"));
  CHECK(problem("eu", "a b").starts_with("group 'eu': a group's name is made of"));
  CHECK(problem("eu", "/").starts_with("group 'eu': "));
  CHECK(described() == before);
  CHECK(fleet()->revision == 1);
}

TEST_CASE_FIXTURE(policy_book_world, "a dry run of a move says what would follow") {
  made(base());
  auto dry = std::make_shared<group_order>();
  dry->path = "eu/berlin";
  dry->new_path = "berlin";
  dry->dry_run = true;
  const auto would = *ask<fleet_answer_ptr>(book, atom::apply_v, group_order_ptr{dry});
  CHECK(would.plan.steps.size() == 4);
  CHECK(would.revision == 1);
  CHECK(fleet()->groups.find("eu/berlin"));
}

TEST_CASE_FIXTURE(policy_book_world,
                  "policies of several groups keep to a document's bounds together") {
  const auto large = [](char name) {
    return "{" + std::string{name} + ": " + std::string(150 * 1024, 'x') + "}";
  };
  made(group("eu") + group("eu/berlin") + group("us") + policy("eu/berlin", "sshd", large('a')));
  const auto refused = apply(group("eu") + policy("eu", "sshd", large('b')));
  REQUIRE(refused.plan.problems.size() == 1);
  CHECK(refused.plan.problems.front().starts_with(
    "fleet.yaml:6: the settings of 'sshd' in group 'eu/berlin', with all that they inherit: "));
  // The same value in both places is one value; another application is another document.
  made(policy("eu", "sshd", large('a')));
  made(policy("eu", "ntp", large('b')));
  // Nor by a move.
  made(policy("us", "sshd", large('c')));
  const auto moved = move("eu/berlin", "us/berlin");
  REQUIRE(moved.plan.problems.size() == 1);
  CHECK(moved.plan.problems.front().starts_with(
    "the settings of 'sshd' in group 'us/berlin', with all that they inherit: "));
  CHECK(fleet()->groups.find("eu/berlin"));
  // Nor with profiles, whether they are active or not.
  const auto profile =
    apply(policy("us", "sshd", large('c'),
                 "  profiles:\n    - {name: p, when: \"os:x\", settings: " + large('d') + "}\n"));
  REQUIRE(profile.plan.problems.size() == 1);
  CHECK(profile.plan.problems.front().starts_with(
    "fleet.yaml:2: policy 'sshd' of group 'us': taken together, "));
  const auto small = "{d: " + std::string(60 * 1024, 'x') + "}";
  made(group("us/ny") + policy("us/ny", "sshd", "{e: " + std::string(60 * 1024, 'x') + "}"));
  const auto active =
    apply(policy("us", "sshd", large('c'),
                 "  profiles:\n    - {name: p, when: \"os:x\", settings: " + small + "}\n"));
  REQUIRE(active.plan.problems.size() == 1);
  CHECK(active.plan.problems.front().find("in group 'us/ny'") != std::string::npos);
}

TEST_CASE_FIXTURE(policy_book_world, "policies of too many applications do not come together") {
  std::string most = group("eu") + group("us");
  for (std::size_t i = 0; i < policy_book_limits::applications_max; ++i)
    most += policy(i % 2 == 0 ? "" : "eu", "app" + std::to_string(i), "{a: 1}");
  made(most);
  made(policy("eu", "app0", "{a: 2}"));
  const auto refused = apply(policy("", "one-more", "{a: 1}"));
  REQUIRE(refused.plan.problems.size() == 1);
  CHECK(refused.plan.problems.front() ==
        "fleet.yaml:2: group 'eu' would have policies of 193 applications, with those that it "
        "inherits; at most 192 can be");
  CHECK(apply(policy("us", "one-more", "{a: 1}")).plan.problems.empty());
}
