// The fleet as files say: applied, compared, refused.

#include "tests/actors/policy_book_world.hpp"

#include <doctest/doctest.h>

using namespace muster;
using namespace muster::test;

namespace {

const std::string base = policy_book_world::group("eu") + policy_book_world::group("eu/berlin") +
                         policy_book_world::policy("eu", "sshd", "{Port: 22}") +
                         policy_book_world::rule("first", "eu/berlin", "  when: {name: web-*}\n");

bool has_line(const std::vector<std::string>& lines, std::string_view part) {
  return std::any_of(lines.begin(), lines.end(),
                     [&](const std::string& line) { return line.find(part) != std::string::npos; });
}

} // namespace

TEST_CASE_FIXTURE(policy_book_world, "a book that begins says so to every shard") {
  for (const auto& shard : *shards) {
    REQUIRE(shard.words.size() == 1);
    CHECK(shard.words.front().fleet == fleet());
  }
  CHECK(fleet()->revision == 0);
  CHECK(fleet()->groups.size() == 2);
  CHECK(db->writes() == 0);
}

TEST_CASE_FIXTURE(policy_book_world, "what files say is made, told to every shard, and made once") {
  const auto first = made(base);
  CHECK(first.revision == 1);
  CHECK(first.plan.steps.size() == 4);
  const auto now = fleet();
  CHECK(now->revision == 1);
  CHECK(now->groups.find("EU/Berlin") == rules::group_id{4});
  const auto* sshd = standing(*now, "eu", "sshd");
  REQUIRE(sshd != nullptr);
  CHECK(sshd->policy->values == json(R"({"Port": 22})"));
  CHECK(sshd->policy->group == "eu");
  CHECK(sshd->revision == 1);
  CHECK(sshd->changed_by == "anna");
  CHECK(sshd->changed_us == 1'700'000'000'123'000);
  REQUIRE(now->moving.size() == 1);
  CHECK(now->moving.front().target == rules::group_id{4});
  for (const auto& shard : *shards) {
    CHECK(shard.fleets() == 2);
    CHECK(shard.words.back().fleet == now);
  }
  const auto writes = db->writes();
  const auto again = made(base);
  CHECK(again.revision == 1);
  CHECK(again.plan.steps.empty());
  CHECK(again.plan.unchanged == 4);
  CHECK(db->writes() == writes);
  CHECK(fleet() == now);
  CHECK(made(rules::export_fleet(objects_of(*now)), true).plan.steps.empty());
}

TEST_CASE_FIXTURE(policy_book_world, "each step has an audit entry, and each object its history") {
  made(base);
  made(policy("eu", "sshd", "{Port: 2222, Banner: secret-word}"));
  made(base, true);
  CHECK(audited() ==
        std::vector<std::string>{
          "group.create eu: ", "group.create eu/berlin: ", "policy.create sshd in eu: ",
          "rule.create first: ", "policy.change sshd in eu: settings.Banner, settings.Port",
          "policy.change sshd in eu: settings.Banner, settings.Port"});
  using marks = std::vector<std::pair<std::uint64_t, bool>>;
  CHECK(history({rules::fleet_kind::policy, "EU", "sshd"}) ==
        marks{{3, false}, {2, false}, {1, false}});
  CHECK(history({rules::fleet_kind::group, "", "eu/berlin"}) == marks{{1, false}});
  CHECK(history({rules::fleet_kind::rule, "", "first"}) == marks{{1, false}});
  CHECK_FALSE(history_key(*fleet(), {rules::fleet_kind::policy, "us", "sshd"}));
}

TEST_CASE_FIXTURE(policy_book_world, "an old spec out of the history can be applied again") {
  made(base);
  made(policy("eu", "sshd", "{Port: 2222}"));
  storage::fleet_history_page page;
  const auto key = *history_key(*fleet(), {rules::fleet_kind::policy, "eu", "sshd"});
  REQUIRE_FALSE(storage::find_fleet_history(*db, {.of = key, .before = 2}, page));
  REQUIRE(page.entries.size() == 1);
  CHECK(page.entries.front().changed_by() == "anna");
  std::string problem;
  const auto spec = rules::settings_from_bytes(page.entries.front().spec(), problem);
  REQUIRE(spec);
  const auto object =
    rules::fleet_object_from(rules::fleet_kind::policy, "eu", "sshd", *spec, problem);
  REQUIRE(object);
  made(rules::export_fleet({&*object, 1}));
  CHECK(standing(*fleet(), "eu", "sshd")->policy->values == json(R"({"Port": 22})"));
}

TEST_CASE_FIXTURE(policy_book_world, "one mistake and nothing is done; each has its line") {
  made(base);
  const auto before = described();
  const auto writes = db->writes();
  const auto refused = apply(group("us") + "---\napiVersion: muster/v1\nkind: Polizei\n" +
                             policy("us", "sshd", "{Port: [}"));
  CHECK(refused.revision == 1);
  REQUIRE(refused.plan.problems.size() == 1);
  CHECK(refused.plan.problems.front().starts_with("fleet.yaml:"));
  const auto two = apply(group("us") + policy("asia", "sshd", "{}") + rule("second", "africa"));
  CHECK(two.plan.problems ==
        std::vector<std::string>{
          "fleet.yaml:6: policy 'sshd' of group 'asia' needs the group 'asia', which would not be "
          "there",
          "fleet.yaml:12: rule 'second' needs the group 'africa', which would not be there"});
  const auto agent = apply(policy("eu", "muster-agent", "{sync_period_s: 5}"));
  CHECK(agent.plan.problems ==
        std::vector<std::string>{"fleet.yaml:2: policy 'muster-agent' of group 'eu': "
                                 "'sync_period_s' is a whole number from 10 to 2592000"});
  CHECK(described() == before);
  CHECK(db->writes() == writes);
  CHECK((*shards)[0].fleets() == 2);
  CHECK(metric("orders_refused_total") == "3");
  made(
    policy("eu", "muster-agent", "{sync_period_s: 60, keep: true}",
           "  profiles:\n    - {name: laptops, when: \"tag:laptop\", settings: {keep: false}}\n"));
}

TEST_CASE_FIXTURE(policy_book_world, "a dry run says what would be done, and does nothing") {
  const auto would = apply(base, false, true);
  CHECK(would.plan.problems.empty());
  CHECK(would.plan.steps.size() == 4);
  CHECK(would.revision == 0);
  CHECK(db->writes() == 0);
  CHECK(fleet()->groups.size() == 2);
  CHECK(
    apply(policy("eu", "muster-agent", "{x: 1}") + group("eu"), false, true).plan.problems.size() ==
    1);
}

TEST_CASE_FIXTURE(policy_book_world,
                  "pruning takes away what no file names, and history keeps it") {
  made(base + group("us") + policy("us", "ntp", "{a: 1}") + task("look", "group:us"));
  const auto pruned = made(base, true);
  CHECK(pruned.plan.steps.size() == 3);
  CHECK(pruned.plan.unchanged == 4);
  const auto now = fleet();
  CHECK_FALSE(now->groups.find("us"));
  CHECK(now->tasks.empty());
  CHECK(now->policies.size() == 1);
  CHECK(history({rules::fleet_kind::task, "", "look"}).front() ==
        std::pair{std::uint64_t{2}, true});
  const auto all = audited();
  CHECK(std::vector(all.end() - 3, all.end()) ==
        std::vector<std::string>{
          "task.remove look: ", "policy.remove ntp in us: ", "group.remove us: "});
  // A number is never given twice: who was in the old group is not in the new one.
  made(group("us"));
  CHECK(fleet()->groups.find("us") == rules::group_id{6});
  restart();
  made(base, true);
  restart();
  made(group("us"));
  CHECK(fleet()->groups.find("us") == rules::group_id{7});
}

TEST_CASE_FIXTURE(policy_book_world, "a group that is still needed is not removed") {
  made(base);
  const auto refused = apply(group("us") + policy("eu", "sshd", "{Port: 22}") +
                               rule("first", "eu/berlin", "  when: {name: web-*}\n"),
                             true);
  CHECK(has_line(refused.plan.problems, "policy 'sshd' of group 'eu' needs the group 'eu'"));
  CHECK(has_line(refused.plan.problems, "rule 'first' needs the group 'eu/berlin'"));
  CHECK(fleet()->revision == 1);
}

TEST_CASE_FIXTURE(policy_book_world, "what an order says shall go goes, and nothing else") {
  made(base + group("us") + policy("us", "ntp", "{a: 1}") + task("look", "group:us"));
  const auto without = [&](std::vector<rules::fleet_key> keys, std::string text = "") {
    auto out = std::make_shared<fleet_order>(*order(std::move(text)));
    out->removed = std::move(keys);
    return *ask<fleet_answer_ptr>(book, atom::apply_v, fleet_order_ptr{out});
  };
  using rules::fleet_kind;
  CHECK(without({{fleet_kind::policy, "asia", "ntp"}}).plan.problems ==
        std::vector<std::string>{"there is no policy 'ntp' of group 'asia' that could be removed"});
  CHECK(without({{fleet_kind::group, "", "unassigned"}}).plan.problems ==
        std::vector<std::string>{"there is no group 'unassigned' that could be removed"});
  CHECK(without({{fleet_kind::task, "", "look"}}, task("look", "group:eu")).plan.problems ==
        std::vector<std::string>{"task 'look' cannot both be there and be removed"});
  const auto needed =
    without({{fleet_kind::group, "", "us"}, {fleet_kind::group, "", "EU/Berlin"}});
  CHECK(needed.plan.problems ==
        std::vector<std::string>{
          "policy 'ntp' of group 'us' needs the group 'us', which would not be there",
          "rule 'first' needs the group 'eu/berlin', which would not be there"});
  CHECK(fleet()->revision == 1);
  const auto one = without({{fleet_kind::policy, "/US/", "ntp"}}, group("eu", "all"));
  CHECK(one.plan.steps.size() == 2);
  CHECK(one.plan.unchanged == 0);
  CHECK(fleet()->groups.find("us"));
  CHECK(
    without({{fleet_kind::group, "", "/us"}, {fleet_kind::rule, "", "first"}}).plan.steps.size() ==
    2);
  CHECK_FALSE(fleet()->groups.find("us"));
  CHECK(fleet()->moving.empty());
  CHECK(fleet()->tasks.size() == 1);
  CHECK(standing(*fleet(), "eu", "sshd") != nullptr);
}

TEST_CASE_FIXTURE(policy_book_world, "an order for another revision is a conflict") {
  made(base);
  auto late = std::make_shared<fleet_order>(*order(group("us")));
  late->expected = 0;
  const auto refused = *ask<fleet_answer_ptr>(book, atom::apply_v, fleet_order_ptr{late});
  CHECK(refused.conflict);
  CHECK(refused.revision == 1);
  CHECK_FALSE(fleet()->groups.find("us"));
  auto right = std::make_shared<fleet_order>(*late);
  right->expected = 1;
  CHECK_FALSE(ask<fleet_answer_ptr>(book, atom::apply_v, fleet_order_ptr{right})->conflict);
  CHECK(fleet()->revision == 2);
}

TEST_CASE_FIXTURE(policy_book_world,
                  "orders that come together are carried out one after the other") {
  const auto expecting = [](std::string text, std::uint64_t revision) {
    auto out = std::make_shared<fleet_order>(*order(std::move(text)));
    out->expected = revision;
    return fleet_order_ptr{out};
  };
  auto first = begin_ask(book, atom::apply_v, expecting(group("eu"), 0));
  auto second = begin_ask(book, atom::apply_v, expecting(group("us"), 0));
  auto third = begin_ask(book, atom::apply_v, expecting(group("eu/berlin"), 1));
  settle();
  CHECK_FALSE((*take<fleet_answer_ptr>(first))->conflict);
  CHECK((*take<fleet_answer_ptr>(second))->conflict);
  CHECK((*take<fleet_answer_ptr>(third))->revision == 2);
  CHECK(fleet()->groups.size() == 4);
}

TEST_CASE_FIXTURE(policy_book_world, "a bounded number of orders wait; the next one is refused") {
  const auto device = enrol(1);
  std::vector<decltype(begin_ask(book, atom::apply_v, order("")))> asked;
  for (std::size_t i = 0; i < policy_book_limits::orders_waiting_max + 2; ++i)
    asked.push_back(begin_ask(book, atom::apply_v, order(group("g" + std::to_string(i)))));
  settle();
  for (std::size_t i = 0; i + 1 < asked.size(); ++i)
    REQUIRE(take<fleet_answer_ptr>(asked[i]));
  const auto refused = take<fleet_answer_ptr>(asked.back());
  REQUIRE_FALSE(refused);
  CHECK(refused.error() == make_error(errc::overloaded, ""));
  CHECK(fleet()->groups.size() == 2 + policy_book_limits::orders_waiting_max + 1);
  CHECK(own(device, "sshd", {{"Port", "1"}}).plan.problems.empty());
}

TEST_CASE_FIXTURE(policy_book_world,
                  "an order has a bounded size, and tells a bounded number of problems") {
  auto large = std::make_shared<fleet_order>();
  large->files.resize(policy_book_limits::files_max + 1);
  const auto problem = [&] {
    const auto answer = *ask<fleet_answer_ptr>(
      book, atom::apply_v, fleet_order_ptr{std::make_shared<fleet_order>(*large)});
    return answer.plan.problems.size() == 1 ? answer.plan.problems.front() : "";
  };
  CHECK(problem() == "an order has at most 1000 files and 2 MB together: give it in parts");
  large->files.resize(3);
  for (auto& file : large->files)
    file.text = std::string(policy_book_limits::text_bytes_max / 3 + 1, '#');
  CHECK(problem() == "an order has at most 1000 files and 2 MB together: give it in parts");
  std::string odd;
  for (int i = 0; i < 70; ++i)
    odd += rule("r" + std::to_string(i), "nowhere");
  const auto many = apply(odd).plan.problems;
  CHECK(many.size() == rules::fleet_problems_max + 1);
  CHECK(many.back() == "and 20 more");
}

TEST_CASE_FIXTURE(policy_book_world, "a policy that did not change is the same object") {
  made(base + policy("", "sshd", "{Banner: no}") + policy("eu/berlin", "ntp", "{a: 1}"));
  const auto before = fleet();
  made(policy("eu", "sshd", "{Port: 2222}") + rule("second", "eu"));
  const auto after = fleet();
  CHECK(standing(*before, "", "sshd")->policy == standing(*after, "", "sshd")->policy);
  CHECK(standing(*before, "eu/berlin", "ntp")->policy ==
        standing(*after, "eu/berlin", "ntp")->policy);
  CHECK(standing(*before, "eu", "sshd")->policy != standing(*after, "eu", "sshd")->policy);
  CHECK(standing(*before, "eu", "sshd")->policy->values == json(R"({"Port": 22})"));
  CHECK(standing(*after, "", "sshd")->revision == 1);
  CHECK(standing(*after, "eu", "sshd")->revision == 2);
}

TEST_CASE_FIXTURE(policy_book_world, "rules are tried by their order, then their name") {
  made(group("eu") + rule("c", "eu", "  order: 5\n") + rule("b", "eu") + rule("a", "eu"));
  const auto names = [&] {
    std::string out;
    const auto now = fleet();
    for (const auto& one : now->moving)
      out += one.name;
    for (std::size_t i = 0; i < now->rules.size(); ++i)
      CHECK(now->rules[i].object.name == now->moving[i].name);
    return out;
  };
  CHECK(names() == "cab");
  made(rule("b", "eu", "  order: 1\n"));
  CHECK(names() == "bca");
  restart();
  CHECK(names() == "bca");
}

TEST_CASE_FIXTURE(policy_book_world, "a book tells its figures") {
  made(base);
  CHECK(metric("groups") == "4");
  CHECK(metric("policies") == "1");
  CHECK(metric("rules") == "1");
  CHECK(metric("revision") == "1");
  const auto bytes = metric("spec_bytes");
  CHECK(bytes != "0");
  made(base + policy("eu", "ntp", "{a: 1}"));
  CHECK(metric("spec_bytes") != bytes);
  made(base, true);
  CHECK(metric("spec_bytes") == bytes);
  restart();
  CHECK(metric("spec_bytes") == bytes);
  CHECK(ask<std::string>(book, atom::status_v) ==
        "policy_book: revision 3, 4 groups, 0 orders in work");
}
