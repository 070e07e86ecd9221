// apps, token, audit, server status, completion.
#include "apps/console/completion.hpp"
#include "tests/apps/console_world.hpp"

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

using namespace muster;
using muster::test::console_world;
using muster::test::noon;
using muster::test::second;

namespace {

const std::string counts = R"({"applications":[
  {"name":"openssl","version":"3.0.14","architecture":"amd64","manager":"dpkg","devices":"1200"},
  {"name":"openssl","version":"3.0.15","architecture":"amd64","manager":"dpkg","devices":"3"},
  {"name":"openssl-tool","version":"1","architecture":"amd64","manager":"dpkg","devices":"1"}]})";

std::string secret_token(const std::string& endpoint) {
  return R"({"id":"t1","name":"office","expiresUs":")" + std::to_string(noon + 86'400 * second) +
         R"(","usesMax":5,"secret":"s3cret","pin":"00ff","server":")" + endpoint + R"("})";
}

} // namespace

TEST_CASE_FIXTURE(console_world, "applications are counted over the fleet") {
  server.on("GET /applications", 200, counts);
  CHECK(run({"apps"}) == exit_fine);
  CHECK(person.printed == "APPLICATION   VERSION  ARCH   BY    DEVICES\n"
                          "openssl       3.0.14   amd64  dpkg    1,200\n"
                          "openssl       3.0.15   amd64  dpkg        3\n"
                          "openssl-tool  1        amd64  dpkg        1\n");
}

TEST_CASE_FIXTURE(console_world, "a glob of applications is the server's prefix and our filter") {
  server.on("GET /applications", 200, counts);
  CHECK(run({"apps", "openssl*"}) == exit_fine);
  CHECK(server.asked.back().query_value("prefix") == "openssl");
  CHECK(server.asked.back().query_value("limit") == "100");
  CHECK(run({"apps", "open*tool", "--json"}) == exit_fine);
  CHECK(server.asked.back().query_value("prefix") == "open");
  const auto json = nlohmann::json::parse(person.printed);
  REQUIRE(json["applications"].size() == 1);
  CHECK(json["applications"][0]["name"] == "openssl-tool");
  CHECK(run({"apps", "openssl?", "--limit", "1"}) == exit_fine);
  CHECK(person.noted == "No application matches 'openssl?'.\n");
}

TEST_CASE_FIXTURE(console_world, "the name of an application tells who has which version") {
  server.on("GET /applications", 200, counts);
  server.on("GET /application_devices", 200,
            R"({"owners":[{"deviceId":"aaaaaaaa0001","deviceName":"web-1","version":"3.0.15",
                "architecture":"amd64","manager":"dpkg"}]})");
  CHECK(run({"apps", "openssl"}) == exit_fine);
  CHECK(server.to("/application_devices")[0].query_value("name") == "openssl");
  CHECK(person.printed.ends_with("\n\n"
                                 "DEVICE  VERSION  ARCH   BY    ID\n"
                                 "web-1   3.0.15   amd64  dpkg  aaaaaaaa\n"));
  CHECK(run({"apps", "openssl", "--version-is", "3.0.15"}) == exit_fine);
  CHECK(server.asked.back().query_value("version") == "3.0.15");
  CHECK(run({"apps", "--version-is", "3"}) == exit_usage);
}

TEST_CASE_FIXTURE(console_world, "an application nobody has is told with what begins like it") {
  server.on("GET /application_devices", 200, "{}");
  server.on("GET /applications", 200, counts);
  CHECK(run({"apps", "opens"}) == exit_not_found);
  CHECK(person.noted ==
        "muster: no application is called 'opens'; beginning like it: openssl, openssl-tool\n");
}

TEST_CASE_FIXTURE(console_world, "a new token comes with the command to type on a client") {
  server.on("POST /tokens", 200, secret_token("muster.example:13000"));
  CHECK(run({"token", "create", "--name", "office", "--uses", "5", "--expires", "7d", "--utc"}) ==
        exit_fine);
  const auto order = nlohmann::json::parse(server.asked[0].body);
  CHECK(order["name"] == "office");
  CHECK(order["lifetimeS"] == "604800");
  CHECK(order["usesMax"] == 5);
  CHECK(person.printed ==
        "Token 'office' for 5 devices, valid until 2026-11-25 12:00:00Z. Type on each client, as "
        "root:\n\n"
        "  muster-agent enrol --server muster.example:13000 --pin 00ff --token s3cret\n\n"
        "The token is shown only this once.\n");
  CHECK(run({"token", "create", "--quiet"}) == exit_fine);
  CHECK(person.printed == "s3cret\n");
  CHECK(nlohmann::json::parse(server.asked.back().body)["lifetimeS"] == "86400");
  CHECK(run({"token", "create", "--expires", "never"}) == exit_fine);
  CHECK(nlohmann::json::parse(server.asked.back().body)["lifetimeS"] == "-1");
  CHECK(run({"token", "create", "--expires", "soon"}) == exit_usage);
}

TEST_CASE_FIXTURE(console_world, "a server that does not know its name is called as we call it") {
  for (const auto* endpoint : {"", ":14001", "[::]:14001", "0.0.0.0:14001"}) {
    server.on("POST /tokens", 200, secret_token(endpoint));
    CHECK(run({"token", "create"}) == exit_fine);
    const std::string port = *endpoint == '\0' ? "13000" : "14001";
    CHECK_MESSAGE(person.printed.find("--server server.example:" + port + " ") != std::string::npos,
                  person.printed);
  }
}

TEST_CASE_FIXTURE(console_world, "tokens are listed with their state and revoked by name or id") {
  server.on("GET /tokens", 200,
            R"({"tokens":[
              {"id":"t1","name":"office","createdBy":"admin","createdUs":")" +
              std::to_string(noon - 60 * second) + R"(","expiresUs":")" +
              std::to_string(noon + 3600 * second) + R"(","uses":2,"usesMax":5},
              {"id":"t2","name":"lab","uses":5,"usesMax":5},
              {"id":"t3","name":"lab","expiresUs":"1"},
              {"id":"t4","name":"office","revoked":true}]})");
  server.on("DELETE /tokens/t1", 204, "");
  server.on("DELETE /tokens/t3", 204, "");
  CHECK(run({"token", "list"}) == exit_fine);
  CHECK(person.printed == "NAME    STATE      USED  EXPIRES     CREATED    BY     ID\n"
                          "office  valid    2 of 5  in 1 h      1 min ago  admin  t1\n"
                          "lab     used up  5 of 5  never       never             t2\n"
                          "lab     expired       0  1970-01-01  never             t3\n"
                          "office  revoked       0  never       never             t4\n");
  CHECK(run({"token", "revoke", "office"}) == exit_fine);
  CHECK(server.asked.back().path == "/api/v1/tokens/t1");
  CHECK(run({"token", "revoke", "t3"}) == exit_fine);
  CHECK(run({"token", "revoke", "lab"}) == exit_not_found);
  CHECK(person.noted.find("several tokens") != std::string::npos);
  CHECK(run({"token", "revoke", "none"}) == exit_not_found);
  CHECK(run({"token"}) == exit_usage);
  CHECK(person.noted == "muster: which command? (see muster token --help)\n");
}

TEST_CASE_FIXTURE(console_world, "the audit tells who changed what") {
  server.on("GET /audit", 200,
            R"({"entries":[{"timeUs":")" + std::to_string(noon) +
              R"(","actor":"admin","source":"10.0.0.1","action":"device.revoke",
                   "subject":"web-1"}]})");
  CHECK(run({"audit", "--utc", "--since", "24h"}) == exit_fine);
  CHECK(person.printed == "TIME                  WHO    FROM      ACTION         SUBJECT\n"
                          "2026-11-24 12:00:00Z  admin  10.0.0.1  device.revoke  web-1\n");
  CHECK(server.asked[0].query_value("since") == std::to_string(noon - 86'400 * second));
}

TEST_CASE_FIXTURE(console_world, "the server's troubles come first") {
  server.on("GET /server", 200,
            R"({"serverId":"00","version":"0.1.0","startedUs":")" +
              std::to_string(noon - 7200 * second) +
              R"(","devices":"3","devicesByState":{"silent":"1","connected":"2"},
                  "agentsPort":13000,"adminPort":13299,"storeUsedBytes":"1048576",
                  "storeFreeBytes":"0","residentBytes":"52428800","cpuSeconds":1.25,
                  "troubles":["the disk is full"]})");
  CHECK(run({"server", "status"}) == exit_fine);
  CHECK(person.printed.starts_with("Trouble      the disk is full\n"
                                   "Version      0.1.0\n"
                                   "Started      2 h ago\n"
                                   "Devices      3: 2 connected, 1 silent\n"));
}

TEST_CASE_FIXTURE(console_world, "completion of every shell knows every command and option") {
  console::surroundings around{person, nullptr, nullptr, {}, nullptr};
  console::console c{around};
  CLI::App app;
  console::declare(app, c);
  const auto every = [](const CLI::App*) { return true; };
  for (const auto* shell : {"bash", "zsh", "fish"}) {
    CHECK(run({"completion", shell}) == exit_fine);
    for (const auto* command : app.get_subcommands(every)) {
      CHECK_MESSAGE(person.printed.find(command->get_name()) != std::string::npos,
                    command->get_name());
      for (const auto* below : command->get_subcommands(every))
        CHECK_MESSAGE(person.printed.find(below->get_name()) != std::string::npos,
                      below->get_name());
      for (const auto* option : command->get_options())
        for (const auto& name : option->get_lnames())
          CHECK_MESSAGE(person.printed.find(name) != std::string::npos, name);
    }
  }
  CHECK(run({"completion", "tcsh"}) == exit_usage);
  CHECK(run({"completion"}) == exit_usage);
}

TEST_CASE_FIXTURE(console_world, "a mistyped command is told with what was meant") {
  CHECK(run({"devics"}) == exit_usage);
  CHECK(person.noted ==
        "muster: unknown command 'devics' (did you mean 'devices'?) (see muster --help)\n");
  CHECK(run({"devices", "--jsn"}) == exit_usage);
  CHECK(run({"token", "creat"}) == exit_usage);
  CHECK(person.noted.find("did you mean 'create'?") != std::string::npos);
  CHECK(run({}) == exit_usage);
  CHECK(run({"--help"}) == exit_fine);
  CHECK(person.printed.find("devices") != std::string::npos);
  CHECK(run({"--version"}) == exit_fine);
  CHECK(person.printed.starts_with("muster "));
}
