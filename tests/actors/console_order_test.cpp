// The admin API about groups, policies, rules and files of the fleet, in front of the real policy book.

#include "actors/rules/fleet_document.hpp"
#include "actors/server/accounts.hpp"
#include "tests/actors/administrator_world.hpp"

#include <doctest/doctest.h>

using namespace muster;
using namespace muster::actors;
using namespace std::chrono_literals;
using test::json;

namespace {

const std::string fleet = std::string{test::fleet_of_europe} + R"(---
apiVersion: muster/v1
kind: Rule
metadata: {name: berlin}
spec:
  when: {source: 10.1.0.0/16}
  moveTo: eu/berlin
  permanent: true
)";

struct order_world : test::administrator_world {
  static json order(const std::string& text) {
    return {{"files", {{{"name", "fleet.yaml"}, {"text", text}}}}};
  }
  json apply(const std::string& text) { return post("fleet/apply", order(text)); }
  net::http::response exported(const std::string& query = {}) {
    const auto answer = c.call("GET", "/api/v1/fleet/export" + query, bearer);
    CAPTURE(answer.body);
    REQUIRE(answer.status == 200);
    return answer;
  }
  static std::string header(const net::http::response& r, const std::string& name) {
    for (const auto& [key, value] : r.headers)
      if (key == name)
        return value;
    return {};
  }
  static std::vector<std::string> column(const json& rows, const std::string& name) {
    std::vector<std::string> out;
    for (const auto& row : rows)
      out.push_back(row.at(name));
    return out;
  }
};

} // namespace

TEST_CASE_FIXTURE(order_world, "a file makes the fleet, is told step by step, and does nothing the second time") {
  auto dry = order(fleet);
  dry["dryRun"] = true;
  const auto would = post("fleet/apply", dry);
  CHECK(would.at("steps").size() == 5);
  CHECK(get("groups").at("groups").size() == 2);

  const auto done = apply(fleet);
  CHECK(done.at("revision") != would.at("revision"));
  CHECK(column(done.at("steps"), "action") == std::vector<std::string>(5, "create"));
  CHECK(column(done.at("steps"), "kind") ==
        std::vector<std::string>{"Group", "Group", "Policy", "Policy", "Rule"});
  CHECK(done.at("steps")[2].at("group") == "/");
  CHECK(done.at("steps")[3].at("group") == "eu");

  const auto again = apply(fleet);
  CHECK(again.at("steps").empty());
  CHECK(again.at("unchanged") == "5");
  CHECK(again.at("revision") == done.at("revision"));

  const auto entries = get("audit").at("entries");
  CHECK(entries.size() >= 6); // a log-in, and a line for each step
  CHECK(entries[0].at("actor") == "admin");
  CHECK(entries[0].at("source") == "192.0.2.10");
}

TEST_CASE_FIXTURE(order_world, "what is exported is what was applied: nothing to do, and nothing to prune") {
  apply(fleet);
  const auto all = exported();
  CHECK(all.content_type == "application/yaml");
  CHECK(header(all, "muster-revision") == get("groups").at("revision"));
  CHECK(header(all, "muster-next-cursor").empty());
  auto back = order(all.body);
  back["prune"] = true;
  const auto nothing = post("fleet/apply", back);
  CHECK(nothing.at("steps").empty());
  CHECK(nothing.at("unchanged") == "5");

  CHECK(rules::read_fleet(exported("?kind=Policy").body, "x").objects.size() == 2);
  CHECK(rules::read_fleet(exported("?kind=policy&name=sshd&group=/EU/").body, "x").objects.size() == 1);
  CHECK(rules::read_fleet(exported("?kind=Group&name=Eu/Berlin").body, "x").objects.size() == 1);
  CHECK(rules::read_fleet(exported("?kind=Policy&name=sshd&group=").body, "x").objects.size() == 1);
  CHECK(exported("?name=chrony").body.empty());
  get("fleet/export?kind=Thing", 400);
}

TEST_CASE_FIXTURE(order_world, "an export larger than a file may be comes in pages, each a file, of one revision") {
  get("groups"); // larger bodies are for connections that have shown who they are
  for (int i = 0; i < 12; ++i) {
    const auto name = "app-" + std::to_string(100 + i);
    const auto text = "apiVersion: muster/v1\nkind: Policy\nmetadata: {name: " + name +
           "}\nspec:\n  settings: {Text: " + std::string(200'000, 'x') + "}\n";
    apply(text);
  }
  std::size_t objects = 0;
  std::size_t pages = 0;
  std::string cursor;
  do {
    const auto page = exported(cursor.empty() ? "" : "?cursor=" + cursor);
    CHECK(page.body.size() <= rules::yaml_limits::bytes_max);
    const auto read = rules::read_fleet(page.body, "page");
    CHECK(read.problems.empty());
    objects += read.objects.size();
    cursor = header(page, "muster-next-cursor");
    ++pages;
  } while (!cursor.empty() && pages < 100);
  CHECK(objects == 12);
  CHECK(pages == 3);
  cursor = header(exported(), "muster-next-cursor");
  apply(fleet);
  CHECK(c.call("GET", "/api/v1/fleet/export?cursor=" + cursor, bearer).status == 409);
}

TEST_CASE_FIXTURE(order_world, "a connection takes a large body only after it has shown who it is, and only where one belongs") {
  const auto large = order(std::string(100'000, '#') + "\n" + fleet).dump();
  client stranger{*this};
  stranger.link->receive(client::text_of("POST", "/api/v1/fleet/apply", bearer, large));
  settle();
  CHECK(stranger.link->sent.empty());
  CHECK(stranger.link->closed);
  CHECK(stranger.link->replies.find(" 413 ") != std::string::npos);
  CHECK(c.call("GET", "/api/v1/groups", bearer).status == 200);
  CHECK(c.call("POST", "/api/v1/fleet/apply", bearer, large).status == 200);
  CHECK(c.call("POST", "/api/v1/groups/change", bearer, large).status == 413);
}

TEST_CASE_FIXTURE(order_world, "what is wrong is told with its line, and nothing of it is done") {
  const auto wrong = post("fleet/apply",
                          order(std::string{fleet} + "---\napiVersion: muster/v1\nkind: Policy\n"
                                                     "metadata: {name: chrony, group: us}\n"
                                                     "spec: {settings: {a: 1}}\n"),
                          422);
  REQUIRE(wrong.at("problems").size() == 1);
  CHECK(wrong.at("problems")[0].get<std::string>().starts_with("fleet.yaml:"));
  CHECK(wrong.at("detail") == wrong.at("problems")[0]);
  CHECK(wrong.at("status") == 422);
  const auto several = post("fleet/apply", order("kind: No\n---\nkind: Neither\n"), 422);
  CHECK(several.at("problems").size() > 2);
  CHECK(several.at("detail").get<std::string>().find("things are wrong") != std::string::npos);
  CHECK(get("groups").at("groups").size() == 2);
  CHECK(get("groups").at("revision") == "0");
}

TEST_CASE_FIXTURE(order_world, "who expects another revision changes nothing") {
  const auto revision = apply(fleet).at("revision").get<std::string>();
  auto late = order("apiVersion: muster/v1\nkind: Group\nmetadata: {name: us}\n");
  late["expectedRevision"] = std::to_string(std::stoull(revision) - 1);
  const auto answer = post("fleet/apply", late, 409);
  CHECK(answer.at("detail").get<std::string>().find("revision " + revision) != std::string::npos);
  late["expectedRevision"] = revision;
  CHECK(post("fleet/apply", late).at("steps").size() == 1);
}

TEST_CASE_FIXTURE(order_world, "single objects go by name, and one that is not there is a problem") {
  apply(fleet);
  const auto gone = post("fleet/apply", {{"removed",
                                          {{{"kind", "Policy"}, {"name", "sshd"}, {"group", "EU"}},
                                           {{"kind", "Rule"}, {"name", "berlin"}},
                                           {{"kind", "Group"}, {"name", "eu/berlin"}}}}});
  CHECK(column(gone.at("steps"), "action") == std::vector<std::string>(3, "remove"));
  CHECK(get("policies").at("policies").size() == 1);
  CHECK(get("groups").at("groups").size() == 3);
  post("fleet/apply", {{"removed", {{{"kind", "Rule"}, {"name", "berlin"}}}}}, 422);
  post("fleet/apply", {{"removed", {{{"kind", "Thing"}, {"name", "x"}}}}}, 400);
  // The group of a policy that stays.
  apply(fleet);
  post("fleet/apply", {{"removed", {{{"kind", "Group"}, {"name", "eu"}}}}}, 422);
}

TEST_CASE_FIXTURE(order_world, "groups are listed as a tree, part by part, and a list is of one revision") {
  apply(fleet);
  CHECK(column(get("groups").at("groups"), "path") ==
        std::vector<std::string>{"/", "eu", "eu/berlin", "unassigned"});
  const auto eu = get("groups?group=/Eu").at("groups");
  CHECK(column(eu, "path") == std::vector<std::string>{"eu", "eu/berlin"});
  CHECK(eu[0].at("description") == "Europe");
  CHECK(eu[0].at("policies") == 1);
  CHECK(eu[0].at("changedBy") == "admin");
  CHECK(eu[0].at("fixed") == false);
  get("groups?group=us", 404);

  std::vector<std::string> paths;
  std::string cursor;
  do {
    const auto page = get("groups?limit=1&cursor=" + cursor);
    CHECK(page.at("groups").size() == 1);
    paths.push_back(page.at("groups")[0].at("path"));
    cursor = page.at("nextCursor");
  } while (!cursor.empty());
  CHECK(paths == std::vector<std::string>{"/", "eu", "eu/berlin", "unassigned"});
  cursor = get("groups?limit=1").at("nextCursor");
  apply("apiVersion: muster/v1\nkind: Group\nmetadata: {name: us}\n");
  get("groups?limit=1&cursor=" + cursor, 409);
}

TEST_CASE_FIXTURE(order_world, "a renamed group keeps its number, its policies and those who name it") {
  apply(fleet);
  const auto number = get("groups?group=eu").at("groups")[0].at("number");
  auto change = json{{"path", "eu"}, {"newPath", "europe"}, {"dryRun", true}};
  post("groups/change", change);
  CHECK(get("groups?group=eu").at("groups").size() == 2);
  change["dryRun"] = false;
  post("groups/change", change);
  get("groups?group=eu", 404);
  const auto renamed = get("groups?group=europe").at("groups");
  CHECK(column(renamed, "path") == std::vector<std::string>{"europe", "europe/berlin"});
  CHECK(renamed[0].at("number") == number);
  CHECK(get("policies?group=europe").at("policies").size() == 1);
  CHECK(get("rules").at("rules")[0].at("moveTo") == "europe/berlin");
  CHECK(exported("?kind=Policy&group=europe").body.find("group: europe") != std::string::npos);
  post("groups/change", {{"path", "nowhere"}, {"newPath", "x"}}, 422);
  post("groups/change", {{"path", "europe"}, {"newPath", "europe/berlin/x"}}, 422);
  post("groups/change", {{"path", "europe"}}, 400);
}

TEST_CASE_FIXTURE(order_world, "policies and rules are listed with what a person wants to know of them") {
  apply(fleet);
  const auto policies = get("policies").at("policies");
  REQUIRE(policies.size() == 2);
  CHECK(column(policies, "group") == std::vector<std::string>{"/", "eu"});
  CHECK(policies[0].at("settings") == 2);
  CHECK(policies[0].at("locks") == 1);
  CHECK(policies[1].at("profiles") == json{"laptops"});
  CHECK(policies[1].at("changedBy") == "admin");
  CHECK(get("policies?application=sshd&group=/").at("policies").size() == 1);
  CHECK(get("policies?application=chrony").at("policies").empty());
  get("policies?group=us", 404);

  const auto rules = get("rules").at("rules");
  REQUIRE(rules.size() == 1);
  CHECK(rules[0].at("name") == "berlin");
  CHECK(rules[0].at("when")[0].at("trait") == "source");
  CHECK(rules[0].at("when")[0].at("anyOf") == json{"10.1.0.0/16"});
  CHECK(rules[0].at("permanent") == true);
  CHECK(rules[0].at("advice") == "");
}

TEST_CASE_FIXTURE(order_world, "a policy's history has every version as a file, newest first, after it is gone too") {
  apply(fleet);
  auto later = exported("?kind=Policy&name=sshd&group=eu").body;
  later.replace(later.find("Port: 2222"), 10, "Port: 2223");
  const auto changed = apply(later);
  const auto& step = changed.at("steps")[0];
  CHECK(step.at("action") == "change");
  CHECK(step.at("changes") ==
        json{{{"path", "settings.Port"}, {"before", "2222"}, {"after", "2223"}}});
  post("fleet/apply", {{"removed", {{{"kind", "Policy"}, {"name", "sshd"}, {"group", "eu"}}}}});

  const std::string query = "fleet/history?kind=Policy&name=sshd&group=eu";
  const auto versions = get(query).at("versions");
  REQUIRE(versions.size() == 3);
  CHECK(versions[0].at("removed") == true);
  CHECK(versions[1].at("document") == later);
  CHECK(versions[1].at("changedBy") == "admin");
  CHECK(versions[1].at("revision") == changed.at("revision"));
  CHECK(versions[2].at("document").get<std::string>().find("Port: 2222") != std::string::npos);
  json paged = json::array();
  std::string cursor;
  do {
    const auto page = get(query + "&limit=1&cursor=" + cursor);
    for (const auto& one : page.at("versions"))
      paged.push_back(one);
    cursor = page.at("nextCursor");
  } while (!cursor.empty());
  CHECK(paged == versions);
  CHECK(get("fleet/history?kind=Policy&name=none").at("versions").empty());
  get("fleet/history?kind=Policy&name=sshd&group=us", 404);
  get("fleet/history?kind=Policy", 400);
}

TEST_CASE_FIXTURE(order_world, "orders are for administrators; whoever may look is shown all") {
  add_user("eve", "a good password", "viewer");
  apply(fleet);
  const auto viewer = log_in("eve", "a good password", "192.0.2.99").bearer;
  const auto id = enrol(1, "web-1").text();
  for (const auto& [path, body] : {std::pair<std::string, json>{"fleet/apply", order(fleet)},
                                   {"groups/change", {{"path", "eu"}, {"newPath", "us"}}},
                                   {"placements", {{"target", "*"}}},
                                   {"devices/" + id + "/assignment", {{"group", "eu"}}},
                                   {"devices/" + id + "/settings",
                                    {{"application", "sshd"}, {"set", {{"Port", "1"}}}}}}) {
    const auto before = get("groups").at("revision");
    const auto answer = post(path, body, viewer);
    CAPTURE(path);
    CHECK(answer.status == 403);
    CHECK(get("groups").at("revision") == before);
  }
  for (const std::string path : {"groups", "policies", "rules", "fleet/export"})
    CHECK(c.call("GET", "/api/v1/" + path, viewer).status == 200);
}

TEST_CASE_FIXTURE(order_world, "with a full disk nothing is changed, and that is said") {
  apply(fleet);
  const auto before = exported().body;
  db.fail_writes(storage::errc::disk_full);
  post("fleet/apply", order("apiVersion: muster/v1\nkind: Group\nmetadata: {name: us}\n"), 507);
  CHECK(exported().body == before);
  db.fail_writes({});
  apply("apiVersion: muster/v1\nkind: Group\nmetadata: {name: us}\n");
  CHECK(exported().body != before);
}

TEST_CASE_FIXTURE(order_world, "a token can name the group its devices go to") {
  apply(fleet);
  const auto made = post("tokens", {{"name", "berlin"}, {"group", "/EU/berlin"}}, 201);
  CHECK(made.at("group") == "eu/berlin");
  post("tokens", {{"name", "us"}, {"group", "us"}}, 404);
  CHECK(post("tokens", {{"name", "any"}}, 201).at("group") == "");
}
