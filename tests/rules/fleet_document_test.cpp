#include "actors/rules/fleet_document.hpp"

#include "actors/rules/fleet_plan.hpp"
#include "actors/rules/group_tree.hpp"
#include "actors/rules/settings_json.hpp"
#include "tests/rules/settings_world.hpp"

#include <doctest/doctest.h>

#include <map>

using namespace muster::rules;
using muster::test::settings_maker;

namespace {

const std::string example = R"(apiVersion: muster/v1
kind: Group
metadata:
  name: eu
---
apiVersion: muster/v1
kind: Group
metadata: {name: /eu/Berlin/}
spec: {description: All of them}
---
apiVersion: muster/v1
kind: Policy
metadata:
  name: sshd
  group: eu/berlin
spec:
  settings:
    PermitRootLogin: false
    Port: 22
  locks: [PermitRootLogin]
  profiles:
    - name: laptops
      priority: 10
      when: tag:laptop
      settings: {Port: 2222}
      removes: Port
---
apiVersion: muster/v1
kind: Rule
metadata: {name: berlin}
spec:
  when:
    source: 10.1.0.0/16
    os: [debian, ubuntu]
  moveTo: eu/berlin
  permanent: true
  trust: claimed
---
apiVersion: muster/v1
kind: Task
metadata: {name: upgrade}
spec:
  target: group:eu os:debian
  action:
    upgrade: all
    timeLimit: 1h
  schedule: weekly sun at 03:00
  zone: Europe/Berlin
  spread: 30m
  runIfMissed: true
  waves: [5, 25, 100]
)";

std::vector<fleet_object> read(std::string_view text) {
  auto out = read_fleet(text, "f.yaml");
  for (const auto& problem : out.problems)
    FAIL_CHECK(problem);
  REQUIRE(out.problems.empty());
  return std::move(out.objects);
}

std::vector<std::string> problems(std::string_view text) {
  return read_fleet(text, "f.yaml").problems;
}

/// A document of a kind, with the lines of its spec.
std::string document(std::string_view kind, std::string_view metadata, std::string_view spec) {
  return "apiVersion: muster/v1\nkind: " + std::string{kind} +
         "\nmetadata: " + std::string{metadata} + "\nspec:\n" + std::string{spec};
}

std::string task(std::string_view action, std::string_view more = "") {
  return document("Task", "{name: t}",
                  "  target: '*'\n  schedule: now\n" + std::string{more} + "  action:\n" +
                    std::string{action});
}

std::vector<std::string> summaries(const fleet_plan& plan) {
  std::vector<std::string> out;
  for (const auto& step : plan.steps)
    out.push_back(summary_of(step));
  return out;
}

/// What objects mean, by their keys.
std::map<fleet_key, settings_document> meaning(std::span<const fleet_object> objects) {
  std::map<fleet_key, settings_document> out;
  for (const auto& object : objects)
    out.emplace(object.key(), spec_document(object));
  return out;
}

using lines = std::vector<std::string>;

} // namespace

TEST_CASE("a fleet is read from its documents") {
  const auto objects = read(example);
  REQUIRE(objects.size() == 5);
  CHECK(objects[1].name == "eu/Berlin");
  CHECK(objects[1].key().name == "eu/berlin");
  CHECK(objects[1].line == 6);
  CHECK(std::get<group_spec>(objects[1].spec).description == "All of them");
  const auto& sshd = std::get<policy>(objects[2].spec);
  CHECK(sshd.name == "sshd");
  CHECK(sshd.group == "eu/berlin");
  CHECK(to_json(sshd.values) == R"({"PermitRootLogin":false,"Port":22})");
  CHECK(sshd.profiles.at(0).removes.at(0).text() == "Port");
  const auto& rule = std::get<rule_spec>(objects[3].spec);
  CHECK(rule.when.size() == 2);
  CHECK(rule.move_to == "eu/berlin");
  CHECK((rule.permanent && rule.trust_claimed));
  placement_facts device;
  device.os_id = "debian";
  device.source = ip_address::parse("10.1.2.3");
  const std::vector<moving_rule> rules{moving_rule_of("berlin", rule, {7})};
  CHECK(place(rules, device, moving_occasion::changed) == placement{0, {7}});
  const auto& upgrade = std::get<task_spec>(objects[4].spec);
  CHECK(upgrade.action.kind == task_kind::upgrade);
  CHECK(upgrade.action.time_limit == std::chrono::hours{1});
  CHECK(upgrade.when.text() == "weekly sun at 03:00");
  CHECK(upgrade.rollout.waves == std::vector<std::uint8_t>{5, 25, 100});
  CHECK(title_of(objects[2]) == "policy 'sshd' of group 'eu/berlin'");
}

TEST_CASE("what is exported is read back as the same, and then there is nothing to do") {
  const auto objects = read(example);
  const auto text = export_fleet(objects);
  const auto again = read(text);
  CHECK(meaning(again) == meaning(objects));
  CHECK(export_fleet(again) == text);
  const auto plan = plan_fleet(again, objects, true);
  CHECK(plan.steps.empty());
  CHECK(plan.problems.empty());
  CHECK(plan.unchanged == 5);
  for (const auto& object : objects) {
    std::string problem;
    const auto stored =
      fleet_object_from(object.kind(), object.group, object.name, spec_document(object), problem);
    REQUIRE_MESSAGE(stored, problem);
    CHECK(stored->key() == object.key());
    CHECK(spec_document(*stored) == spec_document(object));
  }
}

TEST_CASE("each mistake in a fleet's file is one line with its place") {
  CHECK(problems("a: 1\n") == lines{"f.yaml:1: 'apiVersion' of the document is missing",
                                    "f.yaml:1: 'kind' of the document is missing",
                                    "f.yaml:1: 'metadata' of the document is missing",
                                    "f.yaml:1: 'spec' of the document is missing",
                                    "f.yaml:1: the document has no 'a'"});
  CHECK(problems("- 1\n") == lines{"f.yaml:1: the document is a map"});
  CHECK(problems("a: [\n").size() == 1);
  CHECK(problems(document("Group", "{name: 'a b'}", "  {}\n"))
          .at(0)
          .find("f.yaml:3: 'name' of metadata") == 0);
  CHECK(problems(document("Group", "{name: Unassigned}", "  {}\n")) ==
        lines{"f.yaml:3: 'name' of metadata: the root and 'unassigned' are always there"});
  CHECK(problems(document("Grup", "{name: a}", "  {}\n")) ==
        lines{"f.yaml:2: 'kind' is Group, Policy, Rule or Task"});
  CHECK(problems(document("Group", "{name: a, group: b}", "  {}\n")) ==
        lines{"f.yaml:3: metadata has no 'group'"});
  CHECK(problems("apiVersion: muster/v2\nkind: Group\nmetadata: {name: a}\n") ==
        lines{"f.yaml:1: 'apiVersion' is muster/v1"});
  CHECK(problems(document("Policy", "{name: sshd}", "  setings: {}\n")) ==
        lines{"f.yaml:5: spec has no 'setings'"});
  CHECK(problems(document("Policy", "{name: sshd}", "  locks: [a.b, 'a..c']\n"))
          .at(0)
          .find("f.yaml:5: in 'locks' of spec 'a..c' is no path") == 0);
  CHECK(problems(document("Policy", "{name: sshd}", "  locks: ['a[0]']\n")) ==
        lines{"f.yaml:5: spec: the lock 'a[0]' goes into a list: a list is one setting"});
  CHECK(problems(document("Policy", "{name: sshd}", "  profiles:\n  - {name: a, when: web-*}\n"))
          .at(0)
          .find("f.yaml:6: 'when' of profile") == 0);
  CHECK(problems(document("Policy", "{name: SSHD}", "  {}\n")).at(0).find("lower case") !=
        std::string::npos);
  CHECK(problems(document("Rule", "{name: r}", "  moveTo: a\n  when: {source: web}\n"))
          .at(0)
          .find("f.yaml:6: 'source' of when") == 0);
  CHECK(problems(document("Rule", "{name: r}", "  moveTo: a\n  when: {colour: red}\n")) ==
        lines{"f.yaml:6: when has no 'colour'"});
  CHECK(problems(document("Rule", "{name: r}", "  moveTo: a\n  trust: me\n")) ==
        lines{"f.yaml:6: 'trust' of spec is proven or claimed"});
  CHECK(problems(document("Rule", "{name: r}", "  order: x\n  moveTo: a b\n")).size() == 2);
}

TEST_CASE("each mistake in a task is one line with its place") {
  CHECK(problems(task("    command: [/bin/true]\n")).empty());
  CHECK(problems(task("    command: [true]\n")).at(0).find("f.yaml:8: in 'command'") == 0);
  CHECK(problems(task("    command: [apt-get, update]\n")) ==
        lines{"f.yaml:8: a command begins with the absolute path of a program"});
  CHECK(problems(task("    command: [/bin/true]\n    script: x\n")) ==
        lines{"f.yaml:8: an action is one thing: command or script"});
  CHECK(problems(task("    user: root\n")).at(0).find("f.yaml:8: an action is one of") == 0);
  CHECK(problems(task("    script: echo\n")) ==
        lines{"f.yaml:8: a script begins with #! and the path of its interpreter"});
  CHECK(problems(task("    install: [nginx, '-o', 'a;b']\n")).size() == 2);
  CHECK(problems(task("    install: nginx\n    user: me\n")) ==
        lines{"f.yaml:9: action has no 'user'"});
  CHECK(problems(task("    restart: ../x\n")).size() == 1);
  CHECK(problems(task("    collect: etc/passwd\n")) ==
        lines{"f.yaml:8: 'etc/passwd' is no absolute path"});
  CHECK(problems(task("    collect: /a/../b\n")).size() == 1);
  CHECK(problems(task("    place: {path: /x, sha256: abc}\n")).size() == 1);
  CHECK(problems(task("    refresh: false\n")) == lines{"f.yaml:8: write 'refresh: true'"});
  CHECK(problems(task("    refresh: true\n    timeLimit: 25h\n")) ==
        lines{"f.yaml:9: 'timeLimit' of action is a time such as 90s, 15m, 2h or 1d, at most 1d"});
  CHECK(problems(task("    refresh: true\n    timeLimit: 0s\n")).size() == 1);
  CHECK(problems(task("    refresh: true\n    outputMax: 2MB\n")).size() == 1);
  CHECK(problems(task("    refresh: true\n", "  zone: a b\n")).size() == 1);
  CHECK(problems(task("    refresh: true\n", "  devices: [a]\n")) ==
        lines{"f.yaml:5: spec has either a 'target' or 'devices'"});
  CHECK(problems(task("    refresh: true\n", "  waves: [50]\n")).at(0).find("'waves' of spec") !=
        std::string::npos);
  CHECK(problems(task("    refresh: true\n", "  waves: 50\n")).size() == 1);
  CHECK(
    problems(document("Task", "{name: t}",
                      "  target: colour:red\n  action: {refresh: true}\n  schedule: sometimes\n"))
      .size() == 2);
  std::string many;
  for (int i = 0; i < 60; ++i)
    many += (i > 0 ? "---\n" : "") + document("Group", "{name: 'a b'}", "  {}\n");
  CHECK(problems(many).size() == fleet_problems_max + 1);
}

TEST_CASE("a policy that locks all of its settings survives its file") {
  const auto objects = read(document("Policy", "{name: sshd}", "  locks: [\"\"]\n"));
  REQUIRE(std::get<policy>(objects.at(0).spec).locks == std::vector{settings_path{}});
  CHECK(meaning(read(export_fleet(objects))) == meaning(objects));
}

TEST_CASE("a task survives its document with all it can have") {
  const auto objects =
    read(task("    script: |\n      #!/bin/sh\n      echo $X\n    user: www\n    directory: /srv\n "
              "   environment: {X: '1', Y: ''}\n"
              "    timeLimit: 90s\n    outputMax: 1KB\n",
              "  enabled: false\n  enoughPercent: 50\n  failedPercentMax: 0\n  spread: 3600s\n"));
  const auto& one = std::get<task_spec>(objects.at(0).spec);
  CHECK(one.action.script == "#!/bin/sh\necho $X\n");
  CHECK(one.action.environment.at("Y").empty());
  CHECK(one.action.output_bytes == 1024);
  std::vector<text_problem> wrong;
  CHECK(task_from_node(node_of(task_document(one)), wrong) == one);
  CHECK(wrong.empty());
  CHECK(to_yaml(task_document(one)).find("spread: 1h") != std::string::npos);
  for (const auto* action :
       {"    install: [a, b]\n", "    remove: a\n", "    upgrade: [a]\n", "    upgrade: all\n",
        "    restart: ssh\n", "    collect: /var/log/x\n", "    command: [/bin/echo, '', a b]\n"}) {
    const auto again = std::get<task_spec>(read(task(action)).at(0).spec);
    CHECK(task_from_node(node_of(task_document(again)), wrong) == again);
  }
  CHECK(wrong.empty());
}

TEST_CASE("a plan creates, changes and, when asked to, removes, in an order that can be done") {
  const auto before = read(example);
  auto text = example;
  text.replace(text.find("Port: 22\n"), 8, "Port: 23");
  text.replace(text.find("kind: Rule\nmetadata: {name: berlin}"), 35,
               "kind: Rule\nmetadata: {name: munich}");
  const auto after = read(text);
  CHECK(summaries(plan_fleet(after, before, false)) ==
        lines{"change policy 'sshd' of group 'eu/berlin': settings.Port", "create rule 'munich'"});
  CHECK(summaries(plan_fleet(after, before, true)) ==
        lines{"change policy 'sshd' of group 'eu/berlin': settings.Port", "create rule 'munich'",
              "remove rule 'berlin'"});
  CHECK(summaries(plan_fleet({}, before, true)) ==
        lines{"remove task 'upgrade'", "remove rule 'berlin'",
              "remove policy 'sshd' of group 'eu/berlin'", "remove group 'eu/Berlin'",
              "remove group 'eu'"});
  CHECK(plan_fleet({}, before, false).steps.empty());
}

TEST_CASE("what would not be there afterwards is a problem, and so is what is named twice") {
  const auto all = read(example);
  const std::vector<fleet_object> berlin{all[1]};
  CHECK(plan_fleet(berlin, {}, false).problems ==
        lines{"f.yaml:6: group 'eu/Berlin' needs the group 'eu', which would not be there"});
  CHECK(plan_fleet(berlin, all, false).problems.empty());
  CHECK(plan_fleet(berlin, all, true).problems.size() == 1);
  std::vector<fleet_object> twice{all[0], all[0]};
  CHECK(plan_fleet(twice, {}, false).problems ==
        lines{"f.yaml:1: group 'eu' is there already: f.yaml:1"});
}

TEST_CASE("random fleets survive their files, and their plans can be carried out step by step") {
  settings_maker random{19};
  for (int round = 0; round < 300; ++round) {
    const auto make = [&] {
      std::string text;
      std::vector<std::string> groups{""};
      const auto add = [&](const std::string& one) { text += (text.empty() ? "" : "---\n") + one; };
      for (auto n = random.below(6); n > 0; --n) {
        const auto& above = groups[random.below(groups.size())];
        const auto path = (above.empty() ? "" : above + "/") +
                          std::string(1, static_cast<char>('a' + random.below(3)));
        if (std::find(groups.begin(), groups.end(), path) != groups.end())
          continue;
        groups.push_back(path);
        add(document("Group", "{name: " + path + "}",
                     random.below(2) == 0 ? "  {}\n" : "  description: d\n"));
      }
      for (const auto& group : groups)
        if (random.below(2) == 0) {
          auto spec = settings_value::empty_map();
          spec.set("settings", random.map(3));
          add("apiVersion: muster/v1\nkind: Policy\nmetadata: {name: x" +
              (group.empty() ? "" : ", group: " + group) + "}\n" + "spec: " + to_json(spec) + "\n");
        }
      for (auto n = random.below(3); n > 0; --n)
        add(document("Rule", "{name: r" + std::to_string(n) + "}",
                     "  order: " + std::to_string(random.below(3)) +
                       "\n  when: {name: web-*}\n  moveTo: /" +
                       groups[random.below(groups.size())] + "\n"));
      if (random.below(2) == 0)
        add(task("    refresh: true\n", random.below(2) == 0 ? "  spread: 5m\n" : ""));
      return read(text);
    };
    const auto present = make();
    const auto wanted = make();
    REQUIRE(meaning(read(export_fleet(wanted))) == meaning(wanted));
    const bool prune = random.below(2) == 0;
    const auto plan = plan_fleet(wanted, present, prune);
    REQUIRE(plan.problems.empty());
    // Carried out on a tree of groups and a plain map.
    group_tree tree;
    std::string problem;
    auto state = meaning(present);
    std::vector<fleet_object> objects(present.begin(), present.end());
    const auto create = [&](const std::string& path) {
      const auto slash = path.rfind('/');
      const auto above = tree.find(slash == std::string::npos ? "" : path.substr(0, slash));
      REQUIRE(above);
      REQUIRE(
        tree.create(*above, path.substr(slash == std::string::npos ? 0 : slash + 1), problem));
    };
    for (const auto& [key, spec] : state)
      if (key.kind == fleet_kind::group)
        create(key.name);
    for (const auto& step : plan.steps) {
      const auto key = step.object.key();
      REQUIRE(state.contains(key) == (step.action != fleet_action::create));
      if (key.kind == fleet_kind::group && step.action == fleet_action::create)
        create(key.name);
      if (key.kind == fleet_kind::group && step.action == fleet_action::remove)
        REQUIRE_MESSAGE(tree.remove(*tree.find(key.name), problem), problem);
      if (key.kind == fleet_kind::policy)
        REQUIRE(tree.find(key.group));
      std::erase_if(objects, [&](const auto& one) { return one.key() == key; });
      if (step.action == fleet_action::remove) {
        state.erase(key);
      } else {
        state[key] = spec_document(step.object);
        objects.push_back(step.object);
      }
    }
    auto expected = meaning(wanted);
    if (!prune)
      expected.merge(meaning(present));
    REQUIRE(state == expected);
    const auto again = plan_fleet(wanted, objects, prune);
    REQUIRE(again.steps.empty());
    REQUIRE(again.problems.empty());
  }
}

TEST_CASE("a fleet's file cut anywhere is read as what is there, or refused") {
  for (std::size_t cut = 0; cut < example.size(); ++cut) {
    const auto out = read_fleet(std::string_view{example}.substr(0, cut), "f.yaml");
    CHECK(out.objects.size() <= 5);
    for (const auto& problem : out.problems)
      CHECK(problem.find("f.yaml") == 0);
    if (out.problems.empty())
      CHECK(meaning(read(export_fleet(out.objects))) == meaning(out.objects));
  }
}
