// Devices put into groups, tagged, moved by rules, and given values of their own, over the admin API.

#include "actors/rules/settings_codec.hpp"
#include "net/wire/agent.pb.h"
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
metadata: {name: webs}
spec:
  when: {name: "web-*"}
  moveTo: eu/berlin
)";

struct assignment_world : test::administrator_world {
  assignment_world() {
    post("fleet/apply", {{"files", {{{"name", "fleet.yaml"}, {"text", fleet}}}}});
  }

  json device(const device_id& id) { return get("devices/" + id.text()).at("device"); }
  void assign(const device_id& id, const json& what, int status = 204) {
    post("devices/" + id.text() + "/assignment", what, status);
  }
  /// The row of a path in what holds on a device.
  json effective(const device_id& id, const std::string& path) {
    const auto all = get("devices/" + id.text() + "/settings/effective?application=sshd");
    for (const auto& row : all.at("settings"))
      if (row.at("path") == path)
        return row;
    return {};
  }
  json state_of(const device_id& id, const std::string& application) {
    const auto all = get("devices/" + id.text() + "/settings");
    for (const auto& row : all.at("applications"))
      if (row.at("application") == application)
        return row;
    return {};
  }

  /// What the device says of its settings, as a sync would have stored it.
  void report(const device_id& id, const wire::settings_state& state) {
    wire::settings_states all;
    *all.add_items() = state;
    put_section(id, wire::section_settings_states, all);
  }
  /// The hash that the device is to have, as it would name it.
  std::string wanted_hash(const device_id& id) {
    const auto page = ask<device_page_ptr>(services->directory_of(id), atom::find_v, id);
    REQUIRE(page->rows.size() == 1);
    REQUIRE(page->rows[0].documents);
    for (const auto& entry : page->rows[0].documents->entries)
      if (entry.name == "sshd" && entry.kind == document_kind::settings)
        return {entry.hash.begin(), entry.hash.end()};
    return {};
  }
};

} // namespace

TEST_CASE_FIXTURE(assignment_world, "a device is put into a group and tagged; lists find it there, and the audit says who did it") {
  const auto id = enrol(1, "srv-1");
  CHECK(device(id).at("group") == "unassigned");
  assign(id, {{"group", "/EU/Berlin/"}, {"tagsAdded", {"vip", "laptop"}}});
  CHECK(device(id).at("group") == "eu/berlin");
  CHECK(device(id).at("tags") == json{"laptop", "vip"});
  CHECK(get("devices?target=group:eu").at("devices").size() == 1);
  CHECK(get("devices?target=tag:vip").at("devices").size() == 1);
  CHECK(get("devices?target=group:unassigned").at("devices").empty());
  const auto entry = get("audit").at("entries")[0];
  CHECK(entry.at("action") == "device.assign");
  CHECK(entry.at("actor") == "admin");
  CHECK(entry.at("subject") == id.text());

  assign(id, {{"tagsRemoved", {"vip", "never"}}});
  CHECK(device(id).at("group") == "eu/berlin");
  CHECK(device(id).at("tags") == json{"laptop"});
  assign(id, {{"group", "/"}});
  CHECK(device(id).at("group") == "/");
}

TEST_CASE_FIXTURE(assignment_world, "an assignment that cannot be is refused with what mends it, and changes nothing") {
  const auto id = enrol(1, "srv-1");
  assign(id, json::object(), 400);
  assign(id, {{"group", "us"}, {"tagsAdded", {"vip"}}}, 404);
  for (const std::string tag : {"", "Vip", "-x", "a b", "ü"})
    assign(id, {{"tagsAdded", {tag}}}, 400);
  assign(id, {{"tagsAdded", std::vector<std::string>(33, "x")}}, 400);
  CHECK(device(id).at("tags").empty());
  auto nobody = id;
  nobody.bytes[3] = 9;
  assign(nobody, {{"group", "eu"}}, 404);
}

TEST_CASE_FIXTURE(assignment_world, "the rules are run for those of a target, or only asked what they would do") {
  // Rules have placed those who are new already; by hand they are elsewhere.
  std::vector<device_id> webs;
  for (std::uint16_t i = 1; i <= 9; ++i) {
    webs.push_back(enrol(i, "web-" + std::to_string(i)));
    assign(webs.back(), {{"group", "eu"}});
  }
  const auto other = enrol(20, "db-1");
  const auto would = post("placements", {{"target", "*"}, {"dryRun", true}});
  CHECK(would.at("lookedAt") == "10");
  CHECK(would.at("moved") == "9");
  REQUIRE(would.at("moves").size() == 9);
  CHECK(would.at("moves")[0].at("deviceName") == "web-1");
  CHECK(would.at("moves")[8].at("deviceName") == "web-9");
  CHECK(would.at("moves")[0].at("from") == "eu");
  CHECK(would.at("moves")[0].at("to") == "eu/berlin");
  CHECK(would.at("moves")[0].at("rule") == "webs");
  CHECK(device(webs[0]).at("group") == "eu");

  CHECK(post("placements", {{"target", "web-1,web-2"}}).at("moved") == "2");
  CHECK(device(webs[0]).at("group") == "eu/berlin");
  CHECK(device(webs[2]).at("group") == "eu");
  CHECK(device(other).at("group") == "unassigned");
  post("placements", {{"target", " "}}, 400);
  post("placements", {{"target", "color:red"}}, 400);
}

TEST_CASE_FIXTURE(assignment_world, "what holds on a device follows its group, its tags and its own values") {
  const auto id = enrol(1, "srv-1");
  CHECK(effective(id, "Port").at("value") == "22");
  assign(id, {{"group", "eu/berlin"}});
  CHECK(effective(id, "Port").at("value") == "2222");
  CHECK(effective(id, "Port").at("policy").at("group") == "eu");
  assign(id, {{"tagsAdded", {"laptop"}}});
  CHECK(effective(id, "Port").at("policy").at("profile") == "laptops");
  CHECK(effective(id, "PermitRootLogin").at("lockedBy").at("group") == "/");

  const auto path = "devices/" + id.text() + "/settings";
  post(path, {{"application", "sshd"}, {"set", {{"Port", "1022"}, {"PermitRootLogin", "true"}}}});
  CHECK(effective(id, "Port").at("value") == "1022");
  CHECK(effective(id, "Port").at("from") == "own");
  CHECK(effective(id, "PermitRootLogin").at("value") == "false");
  const auto all = get(path + "/effective?application=sshd");
  CHECK(all.at("overruled") == json{"PermitRootLogin"});
  CHECK(json::parse(all.at("ownValues").get<std::string>()) ==
        json{{"Port", 1022}, {"PermitRootLogin", true}});
  CHECK(state_of(id, "sshd").at("ownRevision") != "0");

  post(path, {{"application", "sshd"}, {"unset", {"Port", "PermitRootLogin"}}});
  CHECK(effective(id, "Port").at("value") == "2200");
  CHECK(get(path + "/effective?application=sshd").at("ownValues") == "");
  get(path + "/effective?application=chrony", 404);
  get(path + "/effective", 400);
}

TEST_CASE_FIXTURE(assignment_world, "own values that are none are refused by name") {
  const auto id = enrol(1, "srv-1");
  const auto path = "devices/" + id.text() + "/settings";
  post(path, {{"application", "sshd"}}, 400);
  post(path, {{"application", "no such/name"}, {"set", {{"a", "1"}}}}, 400);
  post(path, {{"application", "sshd"}, {"set", {{"a..b", "1"}}}}, 400);
  post(path, {{"application", "sshd"}, {"set", {{"", "1"}}}}, 400);
  post(path, {{"application", "sshd"}, {"unset", {""}}}, 400);
  const auto said = post(path, {{"application", "sshd"}, {"set", {{"a", "not JSON"}}}}, 400);
  CHECK(said.at("detail").get<std::string>().find("'a'") != std::string::npos);
  auto nobody = id;
  nobody.bytes[3] = 9;
  post("devices/" + nobody.text() + "/settings", {{"application", "sshd"}, {"set", {{"a", "1"}}}}, 404);
  get("devices/" + nobody.text() + "/settings", 404);
}

TEST_CASE_FIXTURE(assignment_world, "a device is pending until it has said something of what it shall hold now") {
  const auto id = enrol(1, "srv-1");
  assign(id, {{"group", "eu"}});
  CHECK(state_of(id, "sshd").at("state") == "pending");
  wire::settings_state state;
  state.set_application("sshd");
  state.set_revision(1);
  state.set_hash(wanted_hash(id));
  state.set_outcome(wire::settings_refused);
  state.set_detail("line 3: no");
  state.set_since_s(1'000);
  auto values = rules::settings_value::empty_map();
  values.set("Banner", "by hand");
  state.set_local_values(rules::to_bytes(values));
  state.set_daemon_values(rules::to_bytes(values));
  report(id, state);
  const auto row = state_of(id, "sshd");
  CHECK(row.at("state") == "refused");
  CHECK(row.at("detail") == "line 3: no");
  CHECK(row.at("sinceUs") == "1000000000");
  CHECK(row.at("changedLocally") == true);
  CHECK(get("devices/" + id.text() + "/settings").at("receivedUs") == "1234000");
  CHECK(effective(id, "Banner").at("from") == "local");
  CHECK(get("devices/" + id.text() + "/settings/effective?application=sshd").at("daemonValues") ==
        R"({"Banner":"by hand"})");
  CHECK(get("devices/" + id.text()).at("sections")[0].at("section") == "settings_states");

  state.set_outcome(wire::settings_applied);
  report(id, state);
  CHECK(state_of(id, "sshd").at("state") == "done");
  post("fleet/apply",
       {{"files",
         {{{"name", "x"},
           {"text", "apiVersion: muster/v1\nkind: Policy\nmetadata: {name: sshd, group: eu}\n"
                    "spec: {settings: {Port: 1}}\n"}}}}});
  CHECK(state_of(id, "sshd").at("state") == "pending");
}

TEST_CASE_FIXTURE(assignment_world, "a token is listed with its group, by whatever path that has by then") {
  CHECK(post("tokens", {{"name", "berlin"}, {"group", "eu/berlin"}}, 201).at("group") == "eu/berlin");
  post("groups/change", {{"path", "eu"}, {"newPath", "europe"}});
  CHECK(get("tokens").at("tokens")[0].at("group") == "europe/berlin");
}
