// group, move, tag, rule, settings: the fleet's order and single devices in it.

#include "tests/apps/console_world.hpp"

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

using namespace muster;
using muster::test::console_world;
using muster::test::noon;
using muster::test::second;
using nlohmann::json;

namespace {

const std::string two_hours_ago = std::to_string(noon - 7200 * second);

const std::string groups = R"({"revision":"17","groups":[
  {"path":"/","number":1,"fixed":true,"policies":2},
  {"path":"eu","number":3,"description":"Europe","revision":"4","changedUs":")" + two_hours_ago +
                           R"(","changedBy":"anna"},
  {"path":"eu/berlin","number":4,"revision":"5","changedUs":")" + two_hours_ago +
                           R"(","changedBy":"anna","policies":1},
  {"path":"unassigned","number":2,"fixed":true}]})";

const std::string created = R"({"revision":"18","unchanged":"0","steps":[
  {"action":"create","kind":"Group","name":"eu/paris","summary":"create group 'eu/paris'"}]})";

json device(const std::string& name, char digit) {
  return {{"id", std::string(32, digit)}, {"name", name}};
}

json devices(std::initializer_list<json> list) {
  json out{{"devices", json::array()}, {"matching", std::to_string(list.size())}};
  for (const auto& one : list)
    out["devices"].push_back(one);
  return out;
}

net::http::response answer(int status, const std::string& body = {}) {
  net::http::response out;
  out.status = status;
  out.body = body;
  return out;
}

json order_in(const net::http::request& r) { return json::parse(r.body); }

} // namespace

TEST_CASE_FIXTURE(console_world, "groups are listed as a tree of paths, and one is shown with what is in it") {
  server.on("GET /groups", 200, groups);
  CHECK(run({"group", "list"}) == exit_fine);
  CHECK(person.printed == "GROUP       DESCRIPTION  POLICIES  CHANGED  BY\n"
                          "/                               2\n"
                          "eu          Europe                 2 h ago  anna\n"
                          "eu/berlin                       1  2 h ago  anna\n"
                          "unassigned\n");
  server.on("GET /groups", 200, R"({"revision":"17","groups":[{"path":"eu","description":"Europe"},
                                    {"path":"eu/berlin"}]})");
  server.on("GET /devices", 200, R"({"matching":"1200"})");
  server.on("GET /policies", 200, R"({"policies":[{"application":"sshd","group":"eu","settings":3,
                                      "locks":1,"profiles":["laptops"],"revision":"9"}]})");
  CHECK(run({"group", "show", "eu"}) == exit_fine);
  CHECK(server.asked.back().query_value("target") == "group:eu");
  CHECK(server.to("/policies")[0].query_value("group") == "eu");
  CHECK(person.printed.starts_with("Group        eu\n"
                                   "Description  Europe\n"
                                   "Devices      1,200 devices, with those of groups in it\n"));
  CHECK(person.printed.find("sshd         eu") != std::string::npos);
  CHECK(person.printed.ends_with("Groups in it\nGROUP\neu/berlin\n"));
}

TEST_CASE_FIXTURE(console_world, "a group is created once, with those above it when told so") {
  server.on("GET /groups", 200, groups);
  server.on("POST /fleet/apply", 200, created);
  CHECK(run({"group", "create", "/eu/paris/", "--description", "The office"}) == exit_fine);
  CHECK(person.printed == "+ create group 'eu/paris'\n1 created; revision 18.\n");
  auto order = order_in(server.asked.back());
  CHECK(order["expectedRevision"] == "17");
  REQUIRE(order["files"].size() == 1);
  CHECK(order["files"][0]["text"].get<std::string>().find("name: eu/paris") != std::string::npos);
  CHECK(order["files"][0]["text"].get<std::string>().find("The office") != std::string::npos);

  CHECK(run({"group", "create", "us/west/lab", "--parents"}) == exit_fine);
  CHECK(order_in(server.asked.back())["files"].size() == 3);

  CHECK(run({"group", "create", "EU/Berlin"}) == exit_failed);
  CHECK(person.noted == "muster: group 'EU/Berlin' is there already\n");
}

TEST_CASE_FIXTURE(console_world, "a group is renamed and moved by its path") {
  server.on("POST /groups/change", 200, R"({"revision":"18"})");
  CHECK(run({"group", "rename", "eu/berlin", "potsdam"}) == exit_fine);
  CHECK(order_in(server.asked.back()) == json{{"path", "eu/berlin"}, {"newPath", "eu/potsdam"}});
  CHECK(person.printed == "Group 'eu/berlin' is now 'eu/potsdam'.\n");
  CHECK(run({"group", "move", "eu/berlin", "/"}) == exit_fine);
  CHECK(order_in(server.asked.back())["newPath"] == "berlin");
  CHECK(run({"group", "move", "eu/berlin", "de/", "--dry-run"}) == exit_fine);
  CHECK(order_in(server.asked.back()) ==
        json{{"path", "eu/berlin"}, {"newPath", "de/berlin"}, {"dryRun", true}});
  CHECK(person.printed == "Group 'eu/berlin' would be 'de/berlin'.\n");
  CHECK(run({"group", "rename", "eu", "a/b"}) == exit_usage);
}

TEST_CASE_FIXTURE(console_world, "a group goes with its policies, but never from under its devices") {
  server.on("GET /devices", 200, R"({"matching":"3"})");
  CHECK(run({"group", "delete", "eu/berlin", "--yes"}) == exit_failed);
  CHECK(person.noted.find("3 devices are in 'eu/berlin'; move them first") != std::string::npos);
  server.on("GET /devices", 200, R"({"matching":"0"})");
  server.on("GET /policies", 200,
            R"({"revision":"17","policies":[{"application":"sshd","group":"eu/berlin"}]})");
  server.on("POST /fleet/apply", 200, R"({"revision":"18","steps":[{"action":"remove",
            "summary":"remove group 'eu/berlin'"}]})");
  CHECK(run({"group", "delete", "eu/berlin"}) == exit_usage); // nobody to ask
  CHECK(server.to("/fleet/apply").empty());
  CHECK(run({"group", "delete", "eu/berlin", "--yes"}) == exit_fine);
  CHECK(order_in(server.asked.back()) ==
        json{{"expectedRevision", "17"},
             {"removed",
              {{{"kind", "Policy"}, {"name", "sshd"}, {"group", "eu/berlin"}},
               {{"kind", "Group"}, {"name", "eu/berlin"}}}}});
}

TEST_CASE_FIXTURE(console_world, "devices of a target are moved one by one, and each that fails is told") {
  server.on("GET /groups", 200, groups);
  server.on("GET /devices", 200, devices({device("web-1", 'a'), device("web-2", 'b')}).dump());
  const auto to = [](char digit) { return "POST /devices/" + std::string(32, digit) + "/assignment"; };
  server.on(to('a'), 204, "");
  server.on(to('b'), 204, "");
  CHECK(run({"move", "os:debian", "web-*", "eu/berlin"}) == exit_fine);
  CHECK(server.to("/devices")[0].query_value("target") == "os:debian web-*");
  CHECK(order_in(server.asked.back()) == json{{"group", "eu/berlin"}});
  CHECK(person.printed == "Moved to eu/berlin: 2 devices.\n");

  server.on(to('a'), 404, R"({"type":"about:blank","detail":"there is no such device"})");
  CHECK(run({"move", "web-*", "/"}) == exit_failed);
  CHECK(person.printed == "Moved to /: 1 of 2 devices; 1 failed.\n"
                          "  web-1: there is no such device\n");
  CHECK(run({"move", "web-*", "/", "--json"}) == exit_failed);
  CHECK(json::parse(person.printed)["failed"][0]["deviceName"] == "web-1");

  CHECK(run({"move", "web-1"}) == exit_usage);
  server.on("GET /groups", 404, R"({"type":"about:blank","detail":"there is no group 'us'"})");
  const auto before = server.asked.size();
  CHECK(run({"move", "web-*", "us"}) == exit_not_found);
  CHECK(server.asked.size() == before + 1); // no device was asked for
}

TEST_CASE_FIXTURE(console_world, "what concerns all devices ends the work, and so does Ctrl-C") {
  server.on("GET /devices", 200, devices({device("web-1", 'a'), device("web-2", 'b')}).dump());
  const auto to = [](char digit) { return "POST /devices/" + std::string(32, digit) + "/assignment"; };
  server.on(to('a'), 204, "");
  server.on(to('b'), 503, R"({"type":"about:blank","detail":"the server is stopping"})");
  CHECK(run({"tag", "add", "*", "laptop"}) == exit_failed);
  CHECK(person.noted == "muster: after 1 of 2 devices: the server is stopping\n");
  server.on(to('a'), [this](const net::http::request&) {
    person.interrupt = true;
    return answer(204);
  });
  CHECK(run({"tag", "remove", "*", "laptop", "old"}) == exit_interrupted);
  CHECK(order_in(server.asked.back()) == json{{"tagsRemoved", {"laptop", "old"}}});
  CHECK(person.printed == "Untagged 1 of 2 devices.\n");
}

TEST_CASE_FIXTURE(console_world, "of many devices a bar shows how far it is, and is gone afterwards") {
  person.person = true;
  json all = devices({});
  for (char digit = '0'; digit <= '9'; ++digit) {
    all["devices"].push_back(device(std::string("d-") + digit, digit));
    server.on("POST /devices/" + std::string(32, digit) + "/assignment", 204, "");
  }
  server.on("GET /devices", 200, all.dump());
  CHECK(run({"tag", "add", "d-*", "x"}) == exit_fine);
  CHECK(person.noted.find("[############............] 50 %  5 of 10") != std::string::npos);
  CHECK(person.noted.ends_with(" \r"));
  CHECK(person.printed == "Tagged 10 devices.\n");
}

TEST_CASE_FIXTURE(console_world, "moving rules are listed with what they look at, and run") {
  server.on("GET /rules", 200, R"({"rules":[
    {"name":"berlin","order":"10","when":[{"trait":"source","anyOf":["10.1.0.0/16","10.2.0.0/16"]},
     {"trait":"os","anyOf":["debian"]}],"moveTo":"eu/berlin","permanent":true,"changedUs":")" +
                                 two_hours_ago + R"(","changedBy":"anna",
     "advice":"it goes by what devices say of themselves"}]})");
  CHECK(run({"rule", "list"}) == exit_fine);
  CHECK(person.printed ==
        "RULE    ORDER  WHEN                                          TO         HOLDS   CHANGED  BY\n"
        "berlin     10  source: 10.1.0.0/16, 10.2.0.0/16, os: debian  eu/berlin  always  2 h ago  anna\n");
  CHECK(person.noted == "berlin: it goes by what devices say of themselves\n");

  server.on("POST /placements", 200, R"({"lookedAt":"1200","moved":"3","moves":[
    {"deviceName":"web-1","from":"unassigned","to":"eu/berlin","rule":"berlin"}]})");
  CHECK(run({"rule", "run", "--dry-run"}) == exit_pending);
  CHECK(order_in(server.asked.back()) == json{{"target", "*"}, {"dryRun", true}});
  CHECK(person.printed == "DEVICE  FROM        TO         RULE\n"
                          "web-1   unassigned  eu/berlin  berlin\n"
                          "\nand 2 more\n3 of 1,200 devices would be moved.\n");
  CHECK(run({"rule", "run", "os:debian", "web-*"}) == exit_fine);
  CHECK(order_in(server.asked.back()) == json{{"target", "os:debian web-*"}});
  CHECK(person.printed.ends_with("3 of 1,200 devices moved.\n"));

  server.on("POST /fleet/apply", 200, R"({"revision":"3","steps":[{"action":"remove","summary":"x"}]})");
  CHECK(run({"rule", "delete", "berlin", "--yes"}) == exit_fine);
  CHECK(order_in(server.asked.back()) ==
        json{{"removed", {{{"kind", "Rule"}, {"name", "berlin"}}}}});
}

TEST_CASE_FIXTURE(console_world, "the settings of a device are shown by application, and one of them with every value's origin") {
  const auto path = "/devices/" + std::string(32, 'a') + "/settings";
  server.on("GET /devices", 200, devices({device("web-1", 'a')}).dump());
  server.on("GET " + path, 200, R"({"applications":[
    {"application":"chrony","state":"pending","wantedRevision":"12"},
    {"application":"sshd","state":"refused","wantedRevision":"17","ownRevision":"3","reportedRevision":"17",
     "sinceUs":")" + two_hours_ago + R"(","detail":"line 3: bad","changedLocally":true}]})");
  CHECK(run({"settings", "web-1"}) == exit_fine);
  CHECK(person.printed ==
        "APPLICATION  STATE       WANTED  REPORTED  SINCE    DETAIL\n"
        "chrony       pending         12\n"
        "sshd         refused  17, own 3        17  2 h ago  line 3: bad; changed on the device\n");

  server.on("GET " + path + "/effective", 200, R"({"application":{"application":"sshd","state":"done",
    "wantedRevision":"17"},"settings":[
    {"path":"Port","value":"22","from":"policy","policy":{"group":"/"},"lockedBy":{"group":"/"}},
    {"path":"Banner","value":"\"hi\"","from":"own"},
    {"path":"Extra.Deep","value":"true","from":"policy","policy":{"group":"eu","profile":"laptops"}}],
    "overruled":["Port"]})");
  CHECK(run({"policy", "effective", "web-1", "sshd"}) == exit_fine);
  CHECK(server.asked.back().query_value("application") == "sshd");
  CHECK(person.printed ==
        "Application      sshd\nState            done\nWanted revision  17\n\n"
        "SETTING     VALUE  FROM                   LOCKED BY\n"
        "Port        22     policy of /            policy of /\n"
        "Banner      \"hi\"   set for this device\n"
        "Extra.Deep  true   profile laptops of eu\n\n"
        "Kept out by locks: Port\n");
  CHECK(run({"settings", "web-1", "sshd", "get", "Port"}) == exit_fine);
  CHECK(person.printed == "22\n");
  CHECK(run({"settings", "web-1", "sshd", "get", "Extra"}) == exit_fine);
  CHECK(person.printed == "Extra.Deep true\n");
  CHECK(run({"settings", "web-1", "sshd", "get", "Nothing"}) == exit_not_found);
}

TEST_CASE_FIXTURE(console_world, "own values are set with the kind that they look like, unless told otherwise") {
  const auto path = "/devices/" + std::string(32, 'a') + "/settings";
  server.on("GET /devices", 200, devices({device("web-1", 'a')}).dump());
  server.on("POST " + path, 200, R"({"revision":"9"})");
  const std::vector<std::pair<std::string, std::string>> cases{
    {"22", "22"},          {"true", "true"}, {"1.5", "1.5"}, {"no", "\"no\""}, {"[a, 1]", "[\"a\",1]"},
    {"a: b: c", "\"a: b: c\""}, {"", "\"\""},
  };
  for (const auto& [word, value] : cases) {
    CHECK(run({"settings", "web-1", "sshd", "set", "Port", word}) == exit_fine);
    CHECK(order_in(server.asked.back()) == json{{"application", "sshd"}, {"set", {{"Port", value}}}});
    CHECK(person.printed == "Changed 1 device.\n");
  }
  CHECK(run({"settings", "web-1", "sshd", "set", "Port", "22", "--text"}) == exit_fine);
  CHECK(order_in(server.asked.back())["set"]["Port"] == "\"22\"");
  CHECK(run({"settings", "web-1", "sshd", "unset", "Port", "\"a.b\""}) == exit_fine);
  CHECK(order_in(server.asked.back())["unset"] == json{"Port", "\"a.b\""});
  const std::vector<std::vector<std::string>> wrong{{"settings"},
                                                    {"settings", "web-1", "sshd", "put"},
                                                    {"settings", "web-1", "sshd", "set", "Port"},
                                                    {"settings", "web-1", "sshd", "get"},
                                                    {"settings", "web-1", "sshd", "set", "a..b", "1"}};
  for (const auto& words : wrong)
    CHECK(run(words) == exit_usage);
}

TEST_CASE_FIXTURE(console_world, "lists of devices tell the group; one device its tags and its settings") {
  const auto web = R"({"id":")" + std::string(32, 'a') +
                   R"(","name":"web-1","state":"idle","group":"eu/berlin","tags":["laptop","vip"],
                       "settingsNotApplied":1})";
  server.on("GET /devices", 200, R"({"matching":"1","devices":[)" + web + "]}");
  CHECK(run({"devices", "group:eu"}) == exit_fine);
  CHECK(person.printed.find("GROUP") != std::string::npos);
  CHECK(person.printed.find("eu/berlin") != std::string::npos);
  const auto path = "/devices/" + std::string(32, 'a');
  server.on("GET " + path, 200, R"({"device":)" + web + "}");
  server.on("GET " + path + "/settings", 200,
            R"({"applications":[{"application":"sshd","state":"failed","detail":"no room"}]})");
  server.on("GET /events", 200, "{}");
  CHECK(run({"device", "web-1"}) == exit_fine);
  CHECK(person.printed.find("Tags          laptop, vip\n") != std::string::npos);
  CHECK(person.printed.find("1 application does not go by them") != std::string::npos);
  CHECK(person.printed.find("sshd         failed  no room\n") != std::string::npos);
  CHECK(run({"device", "web-1", "--settings"}) == exit_fine);
  CHECK(person.printed == "Settings\nAPPLICATION  STATE   DETAIL\nsshd         failed  no room\n");
}
