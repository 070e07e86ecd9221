// What the admin API tells of devices, applications, events, tokens and the server, and what it
// changes.

#include "net/wire/agent.pb.h"
#include "tests/actors/administrator_world.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <set>

using namespace muster;
using namespace muster::actors;
using namespace std::chrono_literals;
using test::json;

namespace {

struct fleet_world : test::administrator_world {
  /// The whole target: some are not below /api/v1.
  json get(const std::string& target, int status = 200) { return c.get(target, bearer, status); }

  /// All rows of a list, page by page.
  json all(const std::string& target, const std::string& rows, std::size_t limit) {
    json out = json::array();
    std::string cursor;
    const std::string link = target.find('?') == std::string::npos ? "?" : "&";
    for (int pages = 0; pages < 1000; ++pages) {
      const auto page = get(target + link + "limit=" + std::to_string(limit) +
                            (cursor.empty() ? "" : "&cursor=" + cursor));
      CHECK(page.at(rows).size() <= limit);
      for (const auto& row : page.at(rows))
        out.push_back(row);
      cursor = page.at("nextCursor").get<std::string>();
      if (cursor.empty())
        return out;
    }
    FAIL("the pages do not end");
    return out;
  }
};

std::vector<std::string> column(const json& rows, const std::string& name) {
  std::vector<std::string> out;
  for (const auto& row : rows)
    out.push_back(row.at(name));
  return out;
}

} // namespace

TEST_CASE_FIXTURE(
  fleet_world, "devices of all shards come as one sorted list, each once, in pages of any size") {
  std::set<std::string> names;
  for (std::uint16_t i = 0; i < 50; ++i) {
    const auto name = "host-" + std::to_string(i % 20); // some share their name
    enrol(i, name);
    names.insert(name);
  }
  for (const std::size_t limit : {1U, 7U, 50U, 1000U}) {
    const auto rows = all("/api/v1/devices", "devices", limit);
    REQUIRE(rows.size() == 50);
    std::set<std::string> ids;
    std::pair<std::string, std::string> before;
    for (const auto& row : rows) {
      const std::pair<std::string, std::string> at{row.at("name"), row.at("id")};
      CHECK(before < at);
      before = at;
      ids.insert(at.second);
    }
    CHECK(ids.size() == 50);
  }
  CHECK(get("/api/v1/devices?limit=3").at("matching") == "50");
  CHECK(get("/api/v1/devices?limit=50").at("nextCursor") == "");
}

TEST_CASE_FIXTURE(fleet_world,
                  "what agents say of themselves cannot make a list too large to be sent") {
  for (std::uint16_t i = 0; i < 400; ++i) {
    auto outcome = std::make_shared<sync_outcome>();
    const auto device = enrol(i, "host-" + std::to_string(i));
    outcome->device = device;
    outcome->finished_us = now_us();
    outcome->host_name = "host-" + std::to_string(i);
    outcome->os_name = std::string(1'000, '<'); // six times as long in JSON
    outcome->os_version = std::to_string(i) + std::string(1'000, '<');
    self->send(services->directory_of(device), atom::synced_v,
               sync_outcome_ptr{std::move(outcome)});
  }
  settle();
  const auto first = get("/api/v1/devices?limit=1000");
  CHECK(first.at("devices").size() < 400);
  CHECK(first.at("devices").size() >= 100);
  CHECK(first.at("devices")[0].at("osName").get<std::string>().size() == 1'000);
  CHECK(all("/api/v1/devices", "devices", 1000).size() == 400);
}

TEST_CASE_FIXTURE(fleet_world, "targets choose devices; a cursor belongs to its question") {
  for (std::uint16_t i = 0; i < 12; ++i)
    enrol(i, (i % 2 == 0 ? "web-" : "db-") + std::to_string(i));
  CHECK(all("/api/v1/devices?target=web-*", "devices", 2).size() == 6);
  CHECK(all("/api/v1/devices?target=state:never%20db-*", "devices", 2).size() == 6);
  CHECK(get("/api/v1/devices?target=state:connected").at("devices").empty());
  const auto cursor =
    get("/api/v1/devices?target=web-*&limit=2").at("nextCursor").get<std::string>();
  CHECK_FALSE(cursor.empty());
  CHECK(get("/api/v1/devices?target=web-*&limit=5&cursor=" + cursor).at("devices").size() == 4);
  get("/api/v1/devices?target=db-*&cursor=" + cursor, 400);
  get("/api/v1/events?cursor=" + cursor, 400);
  get("/api/v1/devices?target=web-*&cursor=" + cursor.substr(1), 400);
}

TEST_CASE_FIXTURE(fleet_world,
                  "two devices of one machine are shown as such, whatever their shards") {
  enrol(1, "first", 9);
  enrol(2, "second", 9);
  enrol(3, "third");
  const auto rows = get("/api/v1/devices").at("devices");
  CHECK(rows[0].at("sameMachine") == true);
  CHECK(rows[1].at("sameMachine") == true);
  CHECK(rows[2].at("sameMachine") == false);
}

TEST_CASE_FIXTURE(fleet_world, "a device shows what was delivered, when") {
  const auto id = enrol(5, "host");
  const auto path = "/api/v1/devices/" + id.text();
  const auto empty = get(path);
  CHECK(empty.at("device").at("name") == "host");
  CHECK_FALSE(empty.contains("facts"));
  CHECK(empty.at("sections").empty());
  CHECK(get(path + "/applications").at("applications").empty());
  CHECK(get(path + "/run_states").at("receivedUs") == "0");

  wire::device_facts facts;
  facts.set_host_name("host");
  facts.set_memory_bytes(8'000'000'000);
  put_section(id, 1, facts);
  wire::applications applications;
  applications.add_items()->set_name("openssl");
  put_section(id, 2, applications);
  wire::run_states states;
  states.add_items()->set_kind(wire::run_kind_unit);
  put_section(id, 3, states);

  const auto detail = get(path);
  CHECK(detail.at("facts").at("memoryBytes") == "8000000000");
  CHECK(column(detail.at("sections"), "section") ==
        std::vector<std::string>{"facts", "applications", "run_states"});
  CHECK(detail.at("sections")[0].at("receivedUs") == "1234000");
  CHECK(detail.at("sections")[0].at("digest").get<std::string>().size() == 32);
  CHECK(get(path + "/applications").at("applications")[0].at("name") == "openssl");
  CHECK(get(path + "/run_states").at("runStates")[0].at("kind") == "run_kind_unit");
}

TEST_CASE_FIXTURE(fleet_world,
                  "however much a device has installed, all of it can be read, page by page") {
  const auto id = enrol(5, "host");
  const auto path = "/api/v1/devices/" + id.text() + "/applications";
  constexpr int installed = 1'500;
  wire::applications applications;
  for (int i = 0; i < installed; ++i) {
    auto& one = *applications.add_items();
    one.set_name("package-" + std::to_string(10'000 + i));
    one.set_vendor(std::string(1'000, '<')); // six times as long in JSON
  }
  put_section(id, 2, applications);
  for (const std::size_t limit : {100U, 700U, 1000U}) {
    const auto rows = all(path, "applications", limit);
    REQUIRE(rows.size() == installed);
    for (int i = 0; i < installed; ++i)
      REQUIRE(rows[static_cast<std::size_t>(i)].at("name") ==
              "package-" + std::to_string(10'000 + i));
  }
  const auto first = get(path + "?limit=1000");
  CHECK(first.at("applications").size() < 1000);

  const auto next = path + "?limit=1000&cursor=" + first.at("nextCursor").get<std::string>();
  CHECK_FALSE(get(next).at("applications").empty());
  get(next + "A", 400);
  applications.mutable_items()->RemoveLast();
  put_section(id, 2, applications);
  get(next, 409);
  CHECK(all(path, "applications", 1000).size() == installed - 1);
}

TEST_CASE_FIXTURE(fleet_world, "revoking and removing a device is done, written down, and final") {
  const auto one = enrol(1, "one");
  const auto two = enrol(2, "two");
  pass(1s);
  CHECK(c.call("POST", "/api/v1/devices/" + one.text() + "/revoke", bearer).status == 204);
  CHECK(get("/api/v1/devices/" + one.text()).at("device").at("state") == "revoked");
  pass(1s);
  CHECK(c.call("DELETE", "/api/v1/devices/" + two.text(), bearer).status == 204);
  get("/api/v1/devices/" + two.text(), 404);
  CHECK(c.call("DELETE", "/api/v1/devices/" + two.text(), bearer).status == 404);
  CHECK(get("/api/v1/devices").at("devices").size() == 1);

  const auto entries = get("/api/v1/audit").at("entries");
  REQUIRE(entries.size() == 3);
  CHECK(column(entries, "action") ==
        std::vector<std::string>{"device.remove", "device.revoke", "login"});
  CHECK(entries[0].at("actor") == "admin");
  CHECK(entries[0].at("source") == "192.0.2.10");
  CHECK(entries[0].at("subject") == two.text());
  CHECK(entries[0].at("detail") == "two");
  CHECK(all("/api/v1/audit", "entries", 1) == entries);
  const auto since = entries[1].at("timeUs").get<std::string>();
  CHECK(all("/api/v1/audit?since=" + since, "entries", 1).size() == 2);
}

TEST_CASE_FIXTURE(fleet_world, "applications are found both ways") {
  for (std::uint16_t i = 0; i < 9; ++i) {
    const auto id = enrol(i, "host-" + std::to_string(i));
    const storage::change_batch batch{
      storage::put(storage::family::index,
                   storage::keys::application(
                     {"openssl", i % 3 == 0 ? "3.0" : "3.1", "amd64", "dpkg", id.bytes}),
                   {}),
      storage::put(storage::family::index,
                   storage::keys::application({"openssl-tool", "1", "amd64", "dpkg", id.bytes}),
                   {})};
    REQUIRE_FALSE(db.write({&batch, 1}));
  }
  for (const std::size_t limit : {1U, 2U, 100U}) {
    const auto rows = all("/api/v1/applications", "applications", limit);
    CHECK(column(rows, "devices") == std::vector<std::string>{"3", "6", "9"});
    CHECK(all("/api/v1/applications?name=openssl", "applications", limit).size() == 2);
    CHECK(all("/api/v1/applications?prefix=openssl-", "applications", limit).size() == 1);
    const auto owners =
      all("/api/v1/application_devices?name=openssl&version=3.0", "owners", limit);
    CHECK(column(owners, "deviceName") == std::vector<std::string>{"host-0", "host-3", "host-6"});
    CHECK(all("/api/v1/application_devices?name=openssl", "owners", limit).size() == 9);
  }
}

TEST_CASE_FIXTURE(fleet_world, "events come newest first, by device, severity and time") {
  const auto one = enrol(1, "one");
  const auto two = enrol(2, "two");
  for (std::uint64_t i = 1; i <= 5; ++i) {
    store_events(one,
                 {event(2 * i - 1, severity::info, "a"), event(2 * i, severity::failure, "b")});
    pass(1s);
    store_events(two, {event(i, severity::warning, "c")});
    pass(1s);
  }
  const auto everything = all("/api/v1/events", "events", 100);
  CHECK(everything.size() == 17); // the first two are the enrolments
  CHECK(everything[0].at("text") == "c");
  CHECK(everything[1].at("sequence") == "10");
  CHECK(everything[0].at("deviceName") == "name then");
  CHECK(everything[0].at("severity") == "warning");
  CHECK(everything[0].at("epoch") == "0000000000000007");
  CHECK(everything[0].at("timeUs") == "1000000");
  CHECK_FALSE(everything[0].contains("gap"));
  for (const std::size_t limit : {1U, 4U}) {
    CHECK(all("/api/v1/events", "events", limit) == everything);
    CHECK(all("/api/v1/events?device=" + one.text(), "events", limit).size() == 11);
    CHECK(all("/api/v1/events?severity=warning", "events", limit).size() == 10);
    CHECK(all("/api/v1/events?severity=failure&device=" + two.text(), "events", limit).empty());
    const auto third = everything[2].at("receivedUs").get<std::string>();
    CHECK(all("/api/v1/events?since=" + third, "events", limit).size() == 3);
    CHECK(all("/api/v1/events?until=" + third, "events", limit).size() == 14);
  }
}

TEST_CASE_FIXTURE(fleet_world, "a token is made, listed without its secret, and revoked") {
  pass(1s);
  const auto answer =
    c.call("POST", "/api/v1/tokens", bearer, R"({"name":"lab","lifetimeS":"-1","usesMax":3})");
  REQUIRE(answer.status == 201);
  const auto made = json::parse(answer.body);
  CHECK_FALSE(made.at("secret").get<std::string>().empty());
  CHECK(made.at("expiresUs") == "0");
  CHECK(made.at("usesMax") == 3);
  CHECK(made.at("createdBy") == "admin");
  CHECK(made.at("pin") == std::string(64, 'b'));
  CHECK(made.at("server") == "muster.example:13000");

  const auto day = json::parse(c.call("POST", "/api/v1/tokens", bearer, "{}").body);
  CHECK(day.at("expiresUs").get<std::string>() ==
        std::to_string(std::stoll(day.at("createdUs").get<std::string>()) + 86'400'000'000));

  const auto id = made.at("id").get<std::string>();
  pass(1s);
  CHECK(c.call("DELETE", "/api/v1/tokens/" + id, bearer).status == 204);
  const auto listed = get("/api/v1/tokens").at("tokens");
  CHECK(listed.size() == 2);
  for (const auto& one : listed) {
    CHECK(one.at("secret") == "");
    CHECK(one.at("revoked") == (one.at("id") == id));
  }
  CHECK(actions()[0] == "token.revoke");
  CHECK(entries()[0].subject() == id);
  CHECK(actions()[1] == "token.create");
}

TEST_CASE_FIXTURE(fleet_world, "the server tells how it is doing") {
  enrol(1, "one");
  enrol(2, "two");
  const auto status = get("/api/v1/server");
  CHECK(status.at("devices") == "2");
  CHECK(status.at("devicesByState").at("never") == "2");
  CHECK(status.at("actorsByStage").at("ports") == "2");
  CHECK(status.at("portRestarts").at("agents") == "0");
  CHECK(status.at("agentsPort") == 13000);
  CHECK(status.at("adminPort") == 13299);
  CHECK(status.at("troubles").empty());
  CHECK(status.at("nowUs") == std::to_string(now_us()));
  CHECK(std::stoull(status.at("residentBytes").get<std::string>()) > 1'000'000);
  CHECK(status.at("cpuSeconds").get<double>() > 0);
  CHECK(std::stoull(status.at("storeFreeBytes").get<std::string>()) > 0);
}

TEST_CASE_FIXTURE(fleet_world, "trouble is told by the health check and by the status") {
  CHECK(c.call("GET", "/healthz").body == "ok\n");
  troubles = {"something else"};
  db.set_free_bytes(1024 * 1024);
  const auto answer = c.call("GET", "/healthz");
  CHECK(answer.status == 503);
  CHECK(answer.body == "only 1 MB are free on the store's volume\nsomething else\n");
  CHECK(get("/api/v1/server").at("troubles").size() == 2);
}

TEST_CASE_FIXTURE(fleet_world,
                  "with a full disk nothing is changed, everybody is told, and it passes") {
  const auto id = enrol(1, "one");
  db.fail_writes(storage::errc::disk_full);
  const auto answer = c.call("POST", "/api/v1/devices/" + id.text() + "/revoke", bearer);
  CHECK(answer.status == 507);
  CHECK(get("/api/v1/devices/" + id.text()).at("device").at("state") != "revoked");
  CHECK(c.call("GET", "/healthz").status == 503);
  db.fail_writes({});
  CHECK(c.call("POST", "/api/v1/devices/" + id.text() + "/revoke", bearer).status == 204);
  // Which would have worked without room as well; but somebody tries again.
  pass(fleet_limits::raise_again_after);
  CHECK(c.call("GET", "/healthz").status == 200);
}

TEST_CASE_FIXTURE(fleet_world,
                  "a store that cannot be read is a 500 with a reason, for the asker alone") {
  db.fail_reads(storage::errc::io_error);
  for (const std::string path : {"/api/v1/events", "/api/v1/audit", "/api/v1/applications"}) {
    const auto answer = c.call("GET", path, bearer);
    CHECK(answer.status == 500);
    CHECK(json::parse(answer.body).at("detail").get<std::string>().find("store") !=
          std::string::npos);
  }
  db.fail_reads({});
  CHECK(c.call("GET", "/api/v1/events", bearer).status == 200);
}

TEST_CASE_FIXTURE(fleet_world,
                  "figures are for log-ins and for this machine, each family told once") {
  client stranger{*this};
  CHECK(stranger.call("GET", "/metrics").status == 401);
  for (const std::string address : {"127.0.0.1", "::1"}) {
    client local{*this, address};
    CHECK(local.call("GET", "/metrics").status == 200);
    CHECK(local.call("GET", "/api/v1/devices").status == 401);
  }
  const auto answer = c.call("GET", "/metrics", bearer);
  CHECK(answer.content_type == "text/plain; version=0.0.4; charset=utf-8");
  const auto occurs = [&](const std::string& what) {
    std::size_t count = 0;
    for (auto at = answer.body.find(what); at != std::string::npos;
         at = answer.body.find(what, at + 1))
      ++count;
    return count;
  };
  CHECK(occurs("# TYPE muster_connections gauge\n") == 1);
  CHECK(occurs("muster_connections{port=\"13000\"} 1\n") == 1);
  CHECK(occurs("muster_connections{port=\"13299\"} 1\n") == 1);
  CHECK(occurs("# TYPE process_resident_memory_bytes gauge\n") == 1);
  CHECK(occurs("# TYPE muster_actors gauge\n") == 1);
}
