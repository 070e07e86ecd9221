#include "tests/apps/console_world.hpp"

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

using namespace muster;
using muster::test::console_world;
using muster::test::noon;
using muster::test::second;

namespace {

const std::string id_a = "aaaaaaaa000000000000000000000001";
const std::string id_b = "bbbbbbbb000000000000000000000002";

std::string device(const std::string& name, const std::string& id, const std::string& state,
                   console::moment_us contact) {
  return R"({"id":")" + id + R"(","name":")" + name + R"(","state":")" + state +
         R"j(","osName":"Debian GNU/Linux 12 (bookworm)","agentVersion":"0.1.0 (abc)",)j" +
         R"("address":"10.0.0.7","lastContactUs":")" + std::to_string(contact) + R"("})";
}

const std::string web1 = device("web-1", id_a, "connected", noon - 5 * second);
const std::string db1 = device("db-1", id_b, "silent", noon - 7200 * second);

std::string list_of(const std::string& devices, int matching, const std::string& cursor = "") {
  return R"({"devices":[)" + devices + R"(],"matching":")" + std::to_string(matching) + R"(")" +
         (cursor.empty() ? "" : R"(,"nextCursor":")" + cursor + R"(")") + "}";
}

} // namespace

TEST_CASE_FIXTURE(console_world, "devices are a table with state and last contact") {
  server.on("GET /devices", 200, list_of(web1 + "," + db1, 2));
  CHECK(run({"devices"}) == exit_fine);
  CHECK(
    person.printed ==
    "NAME   STATE      LAST CONTACT  OS                              ADDRESS   AGENT  ID\n"
    "web-1  connected  5 s ago       Debian GNU/Linux 12 (bookworm)  10.0.0.7  0.1.0  aaaaaaaa\n"
    "db-1   silent     2 h ago       Debian GNU/Linux 12 (bookworm)  10.0.0.7  0.1.0  "
    "bbbbbbbb\n");
  CHECK(server.asked[0].query_value("limit") == "100");
  CHECK_FALSE(server.asked[0].query_value("target"));
}

TEST_CASE_FIXTURE(console_world, "a person at a narrow terminal gets what fits, in colour") {
  server.on("GET /devices", 200, list_of(web1 + "," + db1, 2));
  person.person = true;
  person.shape = {40, true};
  CHECK(run({"devices", "--utc"}) == exit_fine);
  CHECK(person.printed ==
        "\x1b[1mNAME\x1b[0m   \x1b[1mSTATE\x1b[0m      \x1b[1mLAST CONTACT\x1b[0m\n"
        "\x1b[1mweb-1\x1b[0m  \x1b[32mconnected\x1b[0m  2026-11-24 11:59:55Z\n"
        "\x1b[1mdb-1\x1b[0m   \x1b[33msilent\x1b[0m     2026-11-24 10:00:00Z\n"
        "2 devices\n");
}

TEST_CASE_FIXTURE(console_world, "the words of a target go to the server together") {
  server.on("GET /devices", 200, list_of("", 0));
  CHECK(run({"devices", "web-*", "state:silent,never"}) == exit_fine);
  CHECK(server.asked[0].query_value("target") == "web-* state:silent,never");
  CHECK(person.printed.empty());
  CHECK(person.noted == "No device matches 'web-* state:silent,never'.\n");
}

TEST_CASE_FIXTURE(console_world, "a wrong target is the server's sentence and a usage error") {
  server.on("GET /devices", 400,
            R"({"title":"Bad target","detail":"'stat:' is no kind of target"})");
  CHECK(run({"devices", "stat:x"}) == exit_usage);
  CHECK(person.noted == "muster: Bad target: 'stat:' is no kind of target\n");
}

TEST_CASE_FIXTURE(console_world, "pages are read until the limit, and the rest is told") {
  server.on("GET /devices", [](const net::http::request& r) {
    const bool first = !r.query_value("cursor");
    net::http::response answer;
    answer.body = first ? list_of(web1, 3, "c1") : list_of(db1, 3, "c2");
    return answer;
  });
  CHECK(run({"devices", "--limit", "2"}) == exit_fine);
  REQUIRE(server.asked.size() == 2);
  CHECK(server.asked[0].query_value("limit") == "2");
  CHECK(server.asked[1].query_value("limit") == "1");
  CHECK(server.asked[1].query_value("cursor") == "c1");
  CHECK(person.noted == "2 devices of 3; --all shows every one.\n");
}

TEST_CASE_FIXTURE(console_world, "--all reads every page into one document") {
  server.on("GET /devices", [](const net::http::request& r) {
    net::http::response answer;
    answer.body = !r.query_value("cursor") ? list_of(web1, 2, "c1") : list_of(db1, 2);
    return answer;
  });
  CHECK(run({"devices", "--all", "--json"}) == exit_fine);
  const auto json = nlohmann::json::parse(person.printed);
  REQUIRE(json["devices"].size() == 2);
  CHECK(json["devices"][1]["name"] == "db-1");
  CHECK(json["matching"] == "2");
  CHECK_FALSE(json.contains("nextCursor"));
  CHECK(server.asked[0].query_value("limit") == "1000");
}

TEST_CASE_FIXTURE(console_world, "--json of one page is the server's own document") {
  const auto body = R"({ "devices" : [], "somethingNew": 1 })";
  server.on("GET /devices", 200, body);
  CHECK(run({"--json", "devices"}) == exit_fine);
  CHECK(person.printed == std::string(body) + "\n");
}

TEST_CASE_FIXTURE(console_world, "an answer that is none is told as such") {
  server.on("GET /devices", 200, "<html>");
  CHECK(run({"devices"}) == exit_failed);
  CHECK(person.noted.find("not what it should be") != std::string::npos);
  server.on("GET /devices", 502, "<html>");
  CHECK(run({"devices"}) == exit_failed);
  CHECK(person.noted == "muster: the server answered with status 502\n");
}

TEST_CASE_FIXTURE(console_world, "a device is found by name, by id and by the beginning of an id") {
  server.on("GET /devices", [](const net::http::request& r) {
    const auto target = r.query_value("target");
    net::http::response answer;
    answer.body = target == "web-1" || target == "id:aaaa*" ? list_of(web1, 1) : list_of("", 0);
    return answer;
  });
  server.on("GET /devices/" + id_a, 200, R"({"device":)" + web1 + "}");
  server.on("GET /events", 200, "{}");
  for (const auto& name : {std::string("web-1"), id_a, std::string("aaaa")}) {
    CHECK(run({"device", name}) == exit_fine);
    CHECK(person.printed.starts_with("Name              web-1\n"));
  }
  CHECK(run({"device", "web-2"}) == exit_not_found);
  CHECK(person.noted == "muster: no device is called 'web-2'; see: muster devices\n");
}

TEST_CASE_FIXTURE(console_world, "a name that means several devices lists them") {
  server.on("GET /devices", 200, list_of(web1 + "," + db1, 5));
  CHECK(run({"device", "*1"}) == exit_not_found);
  CHECK(person.noted == "muster: '*1' means several devices; give a name or an id that one has: "
                        "web-1 (aaaaaaaa, connected), db-1 (bbbbbbbb, silent) and 3 more\n");
}

TEST_CASE_FIXTURE(console_world, "names with spaces are asked for without dividing them") {
  server.on("GET /devices", 200, list_of("", 0));
  CHECK(run({"device", "Anna's laptop, new"}) == exit_not_found);
  CHECK(server.asked[0].query_value("target") == "Anna's?laptop??new");
}

TEST_CASE_FIXTURE(console_world, "the sections of a device are shown as asked for") {
  server.on("GET /devices/" + id_a, 200,
            R"({"device":)" + web1 +
              R"(,"facts":{"kernel":"6.1","cpus":2,"cpuModel":"Fast","architecture":"x86_64",
                   "memoryBytes":"25769803776","disks":[{"mount":"/","sizeBytes":"53687091200"}]},
                 "sections":[{"section":"applications","receivedUs":")" +
              std::to_string(noon - 60 * second) + R"(","bytes":"42000","digest":"00ff"}]})");
  server.on("GET /devices/" + id_a + "/applications", 200,
            R"({"applications":[{"name":"openssl","version":"3.0.15","architecture":"amd64",
                "manager":"dpkg","sizeBytes":"2097152"}],"receivedUs":")" +
              std::to_string(noon - 60 * second) + R"("})");
  server.on("GET /devices/" + id_a + "/run_states", 200,
            R"({"runStates":[{"name":"ssh.service","state":"failed","detail":"failed",
                "restarts":3}]})");
  CHECK(run({"device", id_a, "--apps"}) == exit_fine);
  CHECK(person.printed == "Applications\n"
                          "NAME     VERSION  ARCH     SIZE  BY\n"
                          "openssl  3.0.15   amd64  2.0 MB  dpkg\n"
                          "\n1 application, as of 1 min ago\n");
  CHECK(run({"device", id_a, "--services"}) == exit_fine);
  CHECK(person.printed == "Services\n"
                          "NAME         STATE   DETAIL  RESTARTS\n"
                          "ssh.service  failed  failed         3\n");
  CHECK(run({"device", id_a, "--deliveries"}) == exit_fine);
  CHECK(person.printed == "Deliveries\n"
                          "SECTION       CHANGED     SIZE  DIGEST\n"
                          "applications  1 min ago  41 KB  00ff\n");
  CHECK(run({"device", id_a, "--facts"}) == exit_fine);
  CHECK(person.printed.find("Processor         Fast, 2 cores x86_64\n") != std::string::npos);
  CHECK(person.printed.find("Memory            24 GB\n") != std::string::npos);
  CHECK(run({"device", id_a, "--apps", "--services", "--json"}) == exit_fine);
  const auto json = nlohmann::json::parse(person.printed);
  CHECK(json["applications"]["applications"][0]["name"] == "openssl");
  CHECK(json["runStates"]["runStates"][0]["restarts"] == 3);
}

TEST_CASE_FIXTURE(console_world, "removing a device needs a yes, and tells what it is about") {
  server.on("GET /devices", 200, list_of(web1, 1));
  server.on("GET /devices/" + id_a, 200, R"({"device":)" + web1 + "}");
  server.on("DELETE /devices/" + id_a, 204, "");
  CHECK(run({"device", "rm", "web-1"}) == exit_usage);
  person.person = true;
  person.answers = {"n"};
  CHECK(run({"device", "rm", "web-1"}) == exit_declined);
  CHECK(person.questions.back() ==
        "Remove web-1 (" + id_a + ") with everything known of it? [y/N] ");
  for (const auto& r : server.asked)
    CHECK(r.method == "GET");
  person.answers = {"y"};
  CHECK(run({"device", "rm", "web-1"}) == exit_fine);
  CHECK(server.asked.back().method == "DELETE");
  CHECK(person.printed == "Removed web-1 (" + id_a + ").\n");
  person.person = false;
  CHECK(run({"device", "rm", "web-1", "--yes"}) == exit_fine);
}

TEST_CASE_FIXTURE(console_world, "revoking asks a person, not a script") {
  server.on("GET /devices", 200, list_of(web1, 1));
  server.on("GET /devices/" + id_a, 200, R"({"device":)" + web1 + "}");
  server.on("POST /devices/" + id_a + "/revoke", 204, "");
  CHECK(run({"revoke", "web-1"}) == exit_fine);
  CHECK(server.asked.back().path == "/api/v1/devices/" + id_a + "/revoke");
  person.person = true;
  person.answers = {"n"};
  CHECK(run({"revoke", "web-1"}) == exit_declined);
}

TEST_CASE_FIXTURE(console_world, "a device's name cannot steer the terminal") {
  server.on("GET /devices", 200, list_of(device("\\u001b]0;x\\u0007evil", id_a, "idle", noon), 1));
  CHECK(run({"devices"}) == exit_fine);
  CHECK(person.printed.find('\x1b') == std::string::npos);
  CHECK(person.printed.find("\uFFFD]0;x\uFFFDevil") != std::string::npos);
}
