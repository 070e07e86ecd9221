// What administrators do all day, with the real programs: groups, policies, tags, files.

#include "tests/system/fleet.hpp"

#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>

using namespace muster::test;
using namespace std::chrono_literals;
using nlohmann::json;

namespace {

constexpr int exit_usage = 2;
constexpr int exit_pending = 7;

const std::string fleet = R"(apiVersion: muster/v1
kind: Group
metadata: {name: office}
---
apiVersion: muster/v1
kind: Group
metadata: {name: office/laptops}
---
apiVersion: muster/v1
kind: Policy
metadata: {name: sshd}
spec:
  settings: {PermitRootLogin: false, MaxAuthTries: 4}
  locks: [PermitRootLogin]
---
apiVersion: muster/v1
kind: Policy
metadata: {name: sshd, group: office/laptops}
spec:
  settings: {MaxAuthTries: 3}
  profiles:
    - {name: developers, when: "tag:developer", settings: {X11Forwarding: true}}
)";

struct policies_stage {
  server_under_test server;
  std::unique_ptr<console_under_test> console;
  temporary_directory files;

  policies_stage() {
    server.start();
    console = std::make_unique<console_under_test>(server);
  }

  std::filesystem::path write(const std::string& name, const std::string& text) {
    std::ofstream(files.path() / name) << text;
    return files.path() / name;
  }
  /// The command must work; what it said.
  std::string good(const words& command) const {
    const auto done = console->run(command);
    CAPTURE(done.output);
    REQUIRE(done.exit_code == 0);
    return done.output;
  }
  std::string group_of(const std::string& device) const {
    return console->json({"device", device})["device"].value("group", "");
  }
  /// What holds of a setting, and where it is from.
  json effective(const std::string& device, const std::string& path) const {
    for (const auto& one : console->list({"policy", "effective", device, "sshd"}, "settings"))
      if (one.value("path", "") == path)
        return one;
    return json::object();
  }
  std::string value(const std::string& device, const std::string& path) const {
    return effective(device, path).value("value", "");
  }
  wire_identity newcomer(const std::string& name, const std::string& token) const {
    wire_identity who;
    who.pin = server.pin_bytes();
    REQUIRE(enrol(who, server.agents_port(), token, name) == "");
    return who;
  }
};

} // namespace

TEST_CASE("a file makes the fleet once; what is exported and applied again changes nothing") {
  policies_stage on;
  const auto file = on.write("fleet.yaml", fleet).string();
  const auto would = on.console->run({"apply", "-f", file, "--dry-run"});
  CHECK_MESSAGE(would.exit_code == exit_pending, would.output);
  CHECK(on.good({"apply", "-f", file}).find("4 created") != std::string::npos);
  CHECK(on.good({"apply", "-f", file}).find("Nothing to do") != std::string::npos);
  CHECK(on.good({"apply", "-f", file, "--dry-run"}).find("Nothing to do") != std::string::npos);

  const auto exported = on.write("export.yaml", on.good({"export"})).string();
  CHECK(on.good({"apply", "-f", exported, "--prune", "--yes"}).find("Nothing to do") !=
        std::string::npos);

  // All or nothing, with the line.
  const auto broken = on.write("broken.yaml", "apiVersion: muster/v1\nkind: Group\nmetadata: {name: us}\n"
                                              "---\napiVersion: muster/v1\nkind: Policy\n"
                                              "metadata: {name: sshd, group: nowhere}\nspec: {settings: {}}\n");
  const auto refused = on.console->run({"apply", "-f", broken.string()});
  CHECK(refused.exit_code == exit_usage);
  CHECK_MESSAGE(refused.output.find("broken.yaml:5:") != std::string::npos, refused.output);
  CHECK(on.console->list({"group", "list"}, "groups").size() == 4);

  // And it survives.
  on.server.kill();
  on.server.start();
  REQUIRE(on.console->log_in(on.server.first_password()).exit_code == 0);
  CHECK(on.good({"apply", "-f", file}).find("Nothing to do") != std::string::npos);
  CHECK(on.server.stop() == 0);
}

TEST_CASE("a token's group is where its devices land; tag, policy and lock decide what holds there") {
  policies_stage on;
  on.good({"apply", "-f", on.write("fleet.yaml", fleet).string()});
  const auto token = on.console->json({"token", "create", "--group", "office/laptops"});
  CHECK(token.value("group", "") == "office/laptops");
  static_cast<void>(on.newcomer("lap-1", token.value("secret", "")));
  CHECK(on.group_of("lap-1") == "office/laptops");
  static_cast<void>(on.newcomer("desk-1", on.server.first_token()));
  CHECK(on.group_of("desk-1") == "unassigned");

  CHECK(on.value("lap-1", "MaxAuthTries") == "3");
  CHECK(on.value("desk-1", "MaxAuthTries") == "4");
  const auto root_login = on.effective("lap-1", "PermitRootLogin");
  CHECK(root_login["policy"].value("group", "") == "/");
  CHECK(root_login["lockedBy"].value("group", "") == "/");

  CHECK(on.value("lap-1", "X11Forwarding").empty());
  on.good({"tag", "add", "lap-1", "developer"});
  CHECK(on.console->json({"device", "lap-1"})["device"]["tags"] == json{"developer"});
  CHECK(on.effective("lap-1", "X11Forwarding")["policy"].value("profile", "") == "developers");
  CHECK(on.console->list({"devices", "tag:developer"}, "devices").size() == 1);
  CHECK(on.console->list({"devices", "group:office"}, "devices").size() == 1);
  on.good({"tag", "remove", "lap-1", "developer"});
  CHECK(on.value("lap-1", "X11Forwarding").empty());

  // A device's own value counts where nothing is locked.
  on.good({"settings", "lap-1", "sshd", "set", "MaxAuthTries", "6"});
  on.good({"settings", "lap-1", "sshd", "set", "PermitRootLogin", "true"});
  CHECK(on.good({"settings", "lap-1", "sshd", "get", "MaxAuthTries"}) == "6\n");
  CHECK(on.effective("lap-1", "MaxAuthTries").value("from", "") == "own");
  CHECK(on.value("lap-1", "PermitRootLogin") == "false");
  on.good({"policy", "unlock", "sshd", "PermitRootLogin"});
  CHECK(on.value("lap-1", "PermitRootLogin") == "true");
  on.good({"settings", "lap-1", "sshd", "unset", "PermitRootLogin", "MaxAuthTries"});
  CHECK(on.value("lap-1", "PermitRootLogin") == "false");
  CHECK(on.value("lap-1", "MaxAuthTries") == "3");
  CHECK(on.server.stop() == 0);
}

TEST_CASE("a policy is set, looked at, and rolled back; a moved group takes its policies and devices along") {
  policies_stage on;
  on.good({"apply", "-f", on.write("fleet.yaml", fleet).string()});
  static_cast<void>(on.newcomer("lap-1", on.server.first_token()));
  CHECK(on.good({"move", "lap-1", "office/laptops"}) == "Moved to office/laptops: 1 device.\n");
  CHECK(on.group_of("lap-1") == "office/laptops");

  on.good({"policy", "set", "sshd", "MaxAuthTries", "2", "--group", "office/laptops", "--lock"});
  CHECK(on.value("lap-1", "MaxAuthTries") == "2");
  const auto history =
    on.console->list({"policy", "history", "sshd", "--group", "office/laptops"}, "versions");
  CHECK(history.size() == 2);
  on.good({"policy", "rollback", "sshd", "--group", "office/laptops"});
  CHECK(on.value("lap-1", "MaxAuthTries") == "3");
  CHECK_FALSE(on.effective("lap-1", "MaxAuthTries").contains("lockedBy"));

  on.good({"group", "rename", "office", "house"});
  CHECK(on.group_of("lap-1") == "house/laptops");
  CHECK(on.effective("lap-1", "MaxAuthTries")["policy"].value("group", "") == "house/laptops");
  on.good({"group", "move", "house/laptops", "/"});
  CHECK(on.group_of("lap-1") == "laptops");
  CHECK(on.value("lap-1", "MaxAuthTries") == "3");
  CHECK(on.console->run({"group", "delete", "laptops", "--yes"}).exit_code != 0);
  on.good({"move", "lap-1", "/"});
  on.good({"group", "delete", "laptops", "--yes"});
  CHECK(on.value("lap-1", "MaxAuthTries") == "4");

  const auto audit = on.good({"audit", "--all"});
  for (const auto* action : {"device.assign", "group", "policy"})
    CHECK_MESSAGE(audit.find(action) != std::string::npos, audit);
  CHECK(on.server.stop() == 0);
}

TEST_CASE("an agent that runs says whether it goes by what it was given") {
  policies_stage on;
  on.good({"apply", "-f", on.write("fleet.yaml", fleet).string()});
  agent_under_test agent{on.server, "desk-1", {"--sync-keep"}};
  agent.start();
  // Nobody on this device knows how to manage that, and it says so.
  on.good({"policy", "set", "nothing-we-know", "a.b", "1"});
  CHECK(eventually([&] {
    for (const auto& one : on.console->list({"settings", "desk-1"}, "applications"))
      if (one.value("application", "") == "nothing-we-know")
        return one.value("state", "") == "not managed";
    return false;
  }));
  CHECK(agent.stop() == 0);
  CHECK(on.server.stop() == 0);
}

TEST_CASE("a megabyte of policies is applied at once over the real port") {
  policies_stage on;
  std::string large;
  for (int i = 0; i < 40; ++i)
    large += std::string{large.empty() ? "" : "---\n"} +
             "apiVersion: muster/v1\nkind: Policy\nmetadata: {name: app-" + std::to_string(i) +
             "}\nspec:\n  settings: {Text: " + std::string(20'000, 'x') + "}\n";
  on.good({"apply", "-f", on.write("large.yaml", large).string()});
  CHECK(on.console->list({"policy", "list"}, "policies").size() == 40);
  CHECK(on.good({"export"}).size() > 800'000);
  CHECK(on.server.stop() == 0);
}
