// policy and its verbs, apply, export: documents read, changed and sent back.

#include "apps/console/policy_edit.hpp"
#include "tests/apps/console_world.hpp"

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include <filesystem>
#include <fstream>

using namespace muster;
using muster::test::console_world;
using muster::test::noon;
using muster::test::second;
using nlohmann::json;

namespace {

const std::string document = R"(apiVersion: muster/v1
kind: Policy
metadata:
  group: eu
  name: sshd
spec:
  locks:
    - PermitRootLogin
  profiles:
    - name: laptops
      settings:
        Port: 2222
      when: tag:laptop
  settings:
    PermitRootLogin: false
    log:
      level: info
)";

/// A server with one policy, that takes orders as long as they name its revision.
struct policy_world : console_world {
  policy_world() {
    server.on("GET /fleet/export", [this](const net::http::request&) {
      net::http::response out;
      out.content_type = "application/yaml";
      out.body = text;
      out.headers.emplace_back("muster-revision", std::to_string(revision));
      ++reads;
      if (on_read)
        on_read();
      return out;
    });
    server.on("POST /fleet/apply", [this](const net::http::request& r) {
      order = json::parse(r.body);
      net::http::response out;
      if (order.contains("expectedRevision")
          && order["expectedRevision"] != std::to_string(revision)) {
        out.status = 409;
        out.body = R"({"type":"about:blank","detail":"the fleet is at another revision"})";
        return out;
      }
      out.body = result;
      return out;
    });
  }

  /// The policy in the last order.
  rules::policy sent() {
    REQUIRE(order["files"].size() == 1);
    const auto read = rules::read_fleet(order["files"][0]["text"].get<std::string>(), "sent");
    CAPTURE(order.dump());
    REQUIRE(read.objects.size() == 1);
    return std::get<rules::policy>(read.objects[0].spec);
  }
  static std::string yaml(const rules::settings_value& values) { return rules::to_yaml(values); }

  std::string text = document;
  std::uint64_t revision = 17;
  int reads = 0;
  std::function<void()> on_read;
  json order;
  std::string result = R"({"revision":"18","steps":[{"action":"change","kind":"Policy",
    "summary":"change policy 'sshd' of group 'eu': settings.Port",
    "changes":[{"path":"settings.Port","before":"","after":"22"}]}]})";
};

} // namespace

TEST_CASE_FIXTURE(policy_world, "a setting is changed in the document that was read, and only from its revision on") {
  CHECK(run({"policy", "set", "sshd", "Port", "22", "--group", "/eu/", "--lock"}) == exit_fine);
  const auto read = server.to("/fleet/export")[0];
  CHECK(read.query_value("kind") == "Policy");
  CHECK(read.query_value("name") == "sshd");
  CHECK(read.query_value("group") == "eu");
  CHECK(order["expectedRevision"] == "17");
  auto p = sent();
  CHECK(p.group == "eu");
  CHECK(*p.values.find("Port") == rules::settings_value{22});
  CHECK(p.values.find("log") != nullptr);
  CHECK(p.locks.size() == 2);
  CHECK(p.profiles.size() == 1);
  CHECK(person.printed == "~ change policy 'sshd' of group 'eu'\n"
                          "    settings.Port: nothing -> 22\n"
                          "1 changed; revision 18.\n");

  CHECK(run({"policy", "set", "sshd", "Port", "2200", "--group", "eu", "--profile", "laptops", "--dry-run"})
        == exit_pending);
  CHECK(order["dryRun"] == true);
  p = sent();
  CHECK(p.values.find("Port") == nullptr);
  CHECK(*p.profiles[0].values.find("Port") == rules::settings_value{2200});
  CHECK(run({"policy", "set", "sshd", "Port", "1", "--profile", "none"}) == exit_not_found);
}

TEST_CASE_FIXTURE(policy_world, "a policy that is not there yet is made by its first setting") {
  text.clear();
  CHECK(run({"policy", "set", "chrony", "server.\"a.b\"[0]", "x"}) == exit_usage); // no such list
  CHECK(run({"policy", "set", "chrony", "makestep.limit", "3"}) == exit_fine);
  const auto p = sent();
  CHECK(p.name == "chrony");
  CHECK(p.group.empty());
  CHECK(yaml(p.values) == "makestep:\n  limit: 3\n");
  CHECK(run({"policy", "show", "chrony"}) == exit_not_found);
  CHECK(run({"policy", "unset", "chrony", "makestep"}) == exit_not_found);
}

TEST_CASE_FIXTURE(policy_world, "unset, lock and unlock change what they name and refuse what is not so") {
  CHECK(run({"policy", "unset", "sshd", "log.level", "--group", "eu"}) == exit_fine);
  CHECK(yaml(sent().values) == "PermitRootLogin: false\n");
  CHECK(run({"policy", "unset", "sshd", "Other", "--group", "eu"}) == exit_not_found);
  CHECK(run({"policy", "lock", "sshd", "log", "log.level", "Port", "--group", "eu"}) == exit_fine);
  CHECK(sent().locks.size() == 3); // log.level is within log
  CHECK(run({"policy", "unlock", "sshd", "PermitRootLogin", "--group", "eu"}) == exit_fine);
  CHECK(sent().locks.empty());
  CHECK(run({"policy", "unlock", "sshd", "PermitRootLogin.x", "--group", "eu"}) == exit_failed);
  CHECK(person.noted ==
        "muster: 'PermitRootLogin.x' is locked together with 'PermitRootLogin'; unlock that\n");
  CHECK(run({"policy", "unlock", "sshd", "Port", "--group", "eu"}) == exit_not_found);
}

TEST_CASE_FIXTURE(policy_world, "whoever was slower reads again, once") {
  on_read = [this] {
    if (reads == 1)
      ++revision;
  };
  CHECK(run({"policy", "set", "sshd", "Port", "22", "--group", "eu"}) == exit_fine);
  CHECK(reads == 2);
  CHECK(order["expectedRevision"] == "18");
  on_read = [this] { ++revision; };
  reads = 0;
  CHECK(run({"policy", "set", "sshd", "Port", "22", "--group", "eu"}) == exit_failed);
  CHECK(reads == 2);
}

TEST_CASE_FIXTURE(policy_world, "a history tells what each change did, and a roll-back sends an earlier document") {
  auto older = document;
  older.replace(older.find("info"), 4, "debug");
  const auto version = [](int number, const std::string& yaml_text, bool removed = false) {
    return json{{"revision", std::to_string(number)},
                {"changedUs", std::to_string(noon - 3600 * second)},
                {"changedBy", "anna"},
                {"removed", removed},
                {"document", yaml_text}};
  };
  json history{{"versions", {version(17, document), version(12, older), version(9, older, true), version(4, older)}}};
  server.on("GET /fleet/history", 200, history.dump());
  CHECK(run({"policy", "history", "sshd", "--group", "eu"}) == exit_fine);
  CHECK(person.printed == "REVISION  CHANGED  BY    WHAT\n"
                          "      17  1 h ago  anna  settings.log.level\n"
                          "      12  1 h ago  anna  locks, profiles, settings\n"
                          "       9  1 h ago  anna  removed\n"
                          "       4  1 h ago  anna  created\n");
  CHECK(run({"policy", "history", "sshd", "--group", "eu", "--diff", "--limit", "1"}) == exit_fine);
  CHECK(person.printed.starts_with("revision 17, 1 h ago by anna\n"
                                   "    settings.log.level: \"debug\" -> \"info\"\n"));

  CHECK(run({"policy", "rollback", "sshd", "--group", "eu"}) == exit_fine);
  CHECK(order["files"][0]["text"] == older);
  CHECK(order["expectedRevision"] == "17");
  CHECK(run({"policy", "rollback", "sshd", "--group", "eu", "--to", "16", "--dry-run"}) == exit_pending);
  CHECK(order["files"][0]["text"] == older);
  CHECK(run({"policy", "rollback", "sshd", "--group", "eu", "--to", "10", "--yes"}) == exit_fine);
  CHECK(order["removed"] == json{{{"kind", "Policy"}, {"name", "sshd"}, {"group", "eu"}}});
  CHECK(run({"policy", "rollback", "sshd", "--group", "eu", "--to", "3"}) == exit_usage); // nobody to ask
  server.on("GET /fleet/history", 200, R"({"versions":[]})");
  CHECK(run({"policy", "rollback", "sshd"}) == exit_not_found);
}

TEST_CASE_FIXTURE(policy_world, "policies are listed, shown as files, and deleted by name") {
  server.on("GET /policies", 200, R"({"policies":[{"application":"sshd","group":"/","settings":3,
    "revision":"9","changedUs":")" + std::to_string(noon) + R"(","changedBy":"anna"}]})");
  CHECK(run({"policy", "list", "sshd", "--group", "/"}) == exit_fine);
  CHECK(server.asked.back().query_value("application") == "sshd");
  CHECK(person.printed == "APPLICATION  GROUP  SETTINGS  REVISION  CHANGED  BY\n"
                          "sshd         /             3         9  now      anna\n");
  CHECK(run({"policy", "show", "sshd", "--group", "eu"}) == exit_fine);
  CHECK(person.printed == document);
  CHECK(run({"policy", "delete", "sshd", "--group", "eu", "--yes"}) == exit_fine);
  CHECK(order == json{{"removed", {{{"kind", "Policy"}, {"name", "sshd"}, {"group", "eu"}}}}});
}

TEST_CASE_FIXTURE(policy_world, "files and folders are applied together, in the order of their paths") {
  std::filesystem::create_directories(file("fleet/eu"));
  std::ofstream(file("fleet/b.yaml")) << "b";
  std::ofstream(file("fleet/eu/a.yml")) << "a";
  std::ofstream(file("fleet/readme.txt")) << "no";
  std::ofstream(file("fleet/.hidden.yaml")) << "no";
  CHECK(run({"apply", "-f", file("fleet").string()}) == exit_fine);
  REQUIRE(order["files"].size() == 2);
  CHECK(order["files"][0]["text"] == "b");
  CHECK(order["files"][0]["name"] == file("fleet/b.yaml").string());
  CHECK(order["files"][1]["text"] == "a");
  CHECK_FALSE(order.contains("prune"));
  CHECK(run({"apply", "-f", file("fleet/b.yaml").string(), "-f", file("fleet/eu/a.yml").string(), "--dry-run"})
        == exit_pending);
  CHECK(order["dryRun"] == true);
  CHECK(person.printed.ends_with("Would be 1 changed.\n"));
  result = R"({"revision":"18","unchanged":"12"})";
  CHECK(run({"apply", "-f", file("fleet").string(), "--dry-run"}) == exit_fine);
  CHECK(person.printed == "Nothing to do; 12 unchanged.\n");

  std::filesystem::create_directories(file("empty"));
  CHECK(run({"apply", "-f", file("empty").string()}) == exit_usage);
  CHECK(run({"apply", "-f", file("none.yaml").string()}) == exit_usage);
  std::ofstream(file("large.yaml")) << std::string(1024 * 1024 + 1, 'x');
  CHECK(run({"apply", "-f", file("large.yaml").string()}) == exit_usage);
  CHECK(person.noted.find("apply them in parts") != std::string::npos);
  CHECK(run({"apply"}) == exit_usage);
}

TEST_CASE_FIXTURE(policy_world, "what goes with --prune is shown and asked about, and goes only from that fleet") {
  std::ofstream(file("fleet.yaml")) << "x";
  result = R"({"revision":"17","steps":[{"action":"remove","summary":"remove group 'old'"}]})";
  CHECK(run({"apply", "-f", file("fleet.yaml").string(), "--prune"}) == exit_usage); // nobody to ask
  CHECK(server.to("/fleet/apply").size() == 1);
  CHECK(order["dryRun"] == true);
  person.person = true;
  person.answers = {"y"};
  CHECK(run({"apply", "-f", file("fleet.yaml").string(), "--prune"}) == exit_fine);
  CHECK(person.noted.find("- remove group 'old'\n") != std::string::npos);
  CHECK(person.questions.back().find("1 thing goes") != std::string::npos);
  CHECK(order["prune"] == true);
  CHECK(order["expectedRevision"] == "17");
  CHECK_FALSE(order.contains("dryRun"));
  person.answers = {"n"};
  CHECK(run({"apply", "-f", file("fleet.yaml").string(), "--prune"}) == exit_declined);
  CHECK(run({"apply", "-f", file("fleet.yaml").string(), "--prune", "--yes"}) == exit_fine);
}

TEST_CASE_FIXTURE(policy_world, "what is wrong with files is told line by line") {
  std::ofstream(file("fleet.yaml")) << "x";
  server.on("POST /fleet/apply", 422,
            R"({"type":"about:blank","title":"Unprocessable Content","status":422,
                "detail":"2 things are wrong; nothing was changed",
                "problems":["fleet.yaml:3: 'kind' is Group","fleet.yaml:9: \u001b[2Jno"]})");
  CHECK(run({"apply", "-f", file("fleet.yaml").string()}) == exit_usage);
  CHECK(person.noted == "muster: 2 things are wrong; nothing was changed\n"
                        "  fleet.yaml:3: 'kind' is Group\n"
                        "  fleet.yaml:9: \xEF\xBF\xBD[2Jno\n");
  server.on("POST /fleet/apply", 422,
            R"({"type":"about:blank","detail":"fleet.yaml:3: no","problems":["fleet.yaml:3: no"]})");
  CHECK(run({"apply", "-f", file("fleet.yaml").string()}) == exit_usage);
  CHECK(person.noted == "muster: fleet.yaml:3: no\n");
}

TEST_CASE_FIXTURE(policy_world, "an order of many kilobytes follows a word that shows who sends it") {
  std::ofstream(file("fleet.yaml")) << std::string(100'000, 'x');
  server.on("GET /whoami", 200, "{}");
  CHECK(run({"apply", "-f", file("fleet.yaml").string()}) == exit_fine);
  REQUIRE(server.asked.size() == 2);
  CHECK(server.asked[0].path == "/api/v1/whoami");
}

TEST_CASE_FIXTURE(policy_world, "an export is joined from its pages") {
  server.on("GET /fleet/export", [](const net::http::request& r) {
    net::http::response out;
    const bool first = !r.query_value("cursor");
    out.body = first ? "a: 1\n" : "b: 2\n";
    if (first)
      out.headers.emplace_back("muster-next-cursor", "more");
    return out;
  });
  CHECK(run({"export", "--kind", "policy"}) == exit_fine);
  CHECK(person.printed == "a: 1\n---\nb: 2\n");
  CHECK(run({"export", "--kind", "things"}) == exit_usage);
}

TEST_CASE_FIXTURE(console_world, "a token can say where its devices go") {
  server.on("POST /tokens", 201, R"({"id":"t1","secret":"s","pin":"00","group":"eu/berlin",
                                     "server":"muster.example:13000"})");
  CHECK(run({"token", "create", "--group", "eu/berlin"}) == exit_fine);
  CHECK(json::parse(server.asked.back().body)["group"] == "eu/berlin");
  CHECK(person.printed.find("for any number of devices, which go to eu/berlin, valid") != std::string::npos);
}
