// The way of a newcomer from end to end: real server, real agents, the console in between.

#include "tests/system/fleet.hpp"

#include <doctest/doctest.h>

#include <unistd.h>

#include <csignal>
#include <set>

using namespace muster::test;
using namespace std::chrono_literals;

TEST_CASE(
  "an agent enrols, syncs and reports; the console shows devices, applications and events") {
  server_under_test server;
  server.start();
  const console_under_test console{server};
  const auto live = console.follow({"events", "--follow", "--json"});
  agent_under_test agent{server, "desk-1", {"--sync-keep"}};
  agent.start();

  nlohmann::json device;
  REQUIRE(eventually([&] {
    device = console.json({"device", "desk-1"});
    return device.contains("facts") && device["sections"].size() == 3;
  }));
  CHECK(device["device"].value("state", "") == "connected");
  char host[256] = {};
  REQUIRE(::gethostname(host, sizeof host - 1) == 0);
  CHECK(device["facts"].value("hostName", "") == "desk-1");
  CHECK(device["facts"].value("cpus", 0) > 0);

  const auto devices = console.json({"devices", "desk-*"});
  REQUIRE(devices["devices"].size() == 1);
  CHECK(devices["devices"][0].value("id", "") == device["device"].value("id", "?"));

  // This machine has dpkg, and libc6 for certain.
  const auto owners = console.json({"apps", "libc6"});
  CHECK_MESSAGE(owners.dump().find("desk-1") != std::string::npos, owners.dump());
  const auto all = console.run({"apps", "libc*"});
  CHECK(all.output.find("libc6") != std::string::npos);

  CHECK(agent
          .run({"event", "--severity", "critical", "--type", "backup.late", "--attribute",
                "hours=26", "the backup is late"})
          .exit_code == 0);
  CHECK_MESSAGE(live->expect("the backup is late").has_value(), live->output());
  live->signal(SIGINT);
  CHECK(live->wait().has_value());

  const auto events = console.json({"events", "--device", "desk-1", "--severity", "critical"});
  REQUIRE(events["events"].size() == 1);
  CHECK(events["events"][0].value("type", "") == "local.backup.late");
  CHECK(events["events"][0]["attributes"].value("hours", "") == "26");

  CHECK(agent.run({"sync"}).exit_code == 0);
  CHECK(agent.stop() == 0);
  // Its last event is in its spool, and comes with the next start.
  agent.start();
  CHECK(eventually([&] {
    return console.json({"events", "--all"}).dump().find("agent.stopped") != std::string::npos;
  }));
  CHECK(agent.stop() == 0);
  CHECK(server.stop() == 0);
}

TEST_CASE("what was known survives a restart of the server; log-ins do not") {
  server_under_test server;
  server.start();
  const auto who = server.enrol_wire_device("desk-2");
  const console_under_test console{server};
  CHECK(server.stop() == 0);
  server.start();
  CHECK(console.run({"whoami"}).exit_code == 3);
  REQUIRE(console.log_in(server.first_password()).exit_code == 0);
  CHECK(console.list({"devices"}, "devices").size() == 1);
  auto same = who;
  wire_client client;
  CHECK(greet(client, same, server.agents_port()) == "");
}

TEST_CASE("a token counts its uses, ends with them, and ends when it is revoked") {
  server_under_test server;
  server.start();
  const console_under_test console{server};
  const auto made = console.json({"token", "create", "--name", "two", "--uses", "2"});
  const auto secret = made.value("secret", "");
  REQUIRE_FALSE(secret.empty());
  CHECK(made.value("pin", "") == server.pin());
  const auto shown = console.run({"token", "create", "--name", "shown"});
  CHECK_MESSAGE(shown.output.find("muster-agent enrol --server ") != std::string::npos,
                shown.output);
  CHECK(shown.output.find(server.pin()) != std::string::npos);

  const auto newcomer = [&] {
    wire_identity who;
    who.pin = server.pin_bytes();
    return who;
  };
  auto first = newcomer();
  auto second = newcomer();
  auto third = newcomer();
  CHECK(enrol(first, server.agents_port(), secret, "first") == "");
  // A retry with the same key is the same device, and no second use.
  const auto device = first.device_id;
  CHECK(enrol(first, server.agents_port(), secret, "first") == "");
  CHECK(first.device_id == device);
  CHECK(enrol(second, server.agents_port(), secret, "second") == "");
  const auto full = enrol(third, server.agents_port(), secret, "third");
  CHECK_MESSAGE(full.find("refused 1:") != std::string::npos, full);

  const auto uses = [&](const std::string& name) {
    for (const auto& token : console.list({"token", "list"}, "tokens"))
      if (token.value("name", "") == name)
        return token.value("uses", 0);
    return -1;
  };
  CHECK(uses("two") == 2);

  const auto brief = console.json({"token", "create", "--name", "brief", "--expires", "1s"});
  CHECK(eventually([&] {
    auto late = newcomer();
    return enrol(late, server.agents_port(), brief.value("secret", ""), "late") != "";
  }));
  const auto open = console.json({"token", "create", "--name", "open"});
  CHECK(console.run({"token", "revoke", "open"}).exit_code == 0);
  CHECK(enrol(third, server.agents_port(), open.value("secret", ""), "third") != "");
  CHECK(enrol(third, server.agents_port(), "no-such-token", "third") != "");
}

TEST_CASE(
  "passwords: a new one ends the first, a wrong one is refused, a lost one is set by root") {
  server_under_test server;
  server.start();
  const console_under_test console{server};
  const auto first = server.first_password();
  CHECK(console.run({"whoami"}).output.find("admin") != std::string::npos);
  const console_under_test other{server};

  const auto changed =
    console.run({"passwd"}, {"MUSTER_PASSWORD=" + first, "MUSTER_NEW_PASSWORD=a better password"});
  CHECK_MESSAGE(changed.exit_code == 0, changed.output);
  CHECK(eventually([&] { return !std::filesystem::exists(server.first_password_file()); }));
  CHECK(console.run({"whoami"}).exit_code == 0);
  CHECK(other.run({"whoami"}).exit_code != 0); // its log-in ended with the old password
  CHECK(other.log_in(first).exit_code != 0);
  CHECK(other.log_in("a better password").exit_code == 0);

  temporary_directory elsewhere;
  const auto file = elsewhere.write("password", "found again, by root\n");
  const auto set = run({"/bin/sh", "-c",
                        std::string(MUSTER_SERVER_PATH) + " --config " +
                          (server.directory() / "server.toml").string() + " --data " +
                          server.data().string() + " passwd admin < " + file.string()});
  CHECK_MESSAGE(set.exit_code == 0, set.output);
  CHECK(other.run({"whoami"}).exit_code != 0);
  CHECK(other.log_in("found again, by root").exit_code == 0);

  CHECK(other.run({"logout"}).exit_code == 0);
  CHECK(other.run({"whoami"}).exit_code == 3);
}

TEST_CASE("every change leaves a line in the audit") {
  server_under_test server;
  server.start();
  const console_under_test console{server};
  static_cast<void>(server.enrol_wire_device("short-lived"));
  CHECK(console.run({"token", "create", "--name", "audited"}).exit_code == 0);
  CHECK(console.run({"token", "revoke", "audited"}).exit_code == 0);
  CHECK(console.run({"revoke", "short-lived"}).exit_code == 0);
  CHECK(console.run({"device", "rm", "short-lived", "--yes"}).exit_code == 0);
  CHECK(console.list({"devices"}, "devices").empty());
  const auto audit = console.list({"audit"}, "entries");
  std::set<std::string> actions;
  for (const auto& entry : audit) {
    CHECK(entry.value("actor", "") != "");
    actions.insert(entry.value("action", ""));
  }
  for (const auto* action : {"token.create", "token.revoke", "device.revoke", "device.remove"})
    CHECK_MESSAGE(actions.contains(action), action << " is not in " << audit.dump());
  CHECK(audit.dump().find(server.first_password()) == std::string::npos);
}

TEST_CASE("a device that does not exist is not found, and that is no failure of another kind") {
  server_under_test server;
  server.start();
  const console_under_test console{server};
  CHECK(console.run({"device", "nobody"}).exit_code == 4);
  CHECK(console.run({"revoke", "nobody", "--yes"}).exit_code == 4);
  const console_under_test stranger{server, false};
  CHECK(stranger.run({"devices"}).exit_code == 3);
}
