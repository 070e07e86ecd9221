// The admin API's calls to many devices, on the real board and directory.

#include "tests/actors/console_world.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <set>

using namespace muster;
using namespace muster::actors;
using namespace std::chrono_literals;
using test::console_world;
using test::json;

namespace {

struct calls_world : console_world {
  client c{*this};
  std::string bearer = token();

  net::http::response post(const std::string& body) {
    return c.call("POST", "/api/v1/calls", bearer, body);
  }
  json give(const std::string& kind, const std::string& target) {
    const auto answer = post(json{{"kind", kind}, {"target", target}}.dump());
    CAPTURE(answer.body);
    REQUIRE(answer.status == 201);
    return json::parse(answer.body);
  }
  json get(const std::string& target, int status = 200) { return c.get(target, bearer, status); }
};

} // namespace

TEST_CASE_FIXTURE(calls_world, "a call is answered with its number, listed, and shown with a row for each device") {
  for (std::uint16_t i = 0; i < 12; ++i)
    enrol(i, (i % 2 == 0 ? "web-" : "db-") + std::to_string(i));
  const auto given = give("sync", "web-*");
  const auto id = given.at("id").get<std::string>();
  CHECK(given.at("kind") == "sync");
  CHECK(given.at("target") == "web-*");
  CHECK(given.at("createdBy") == "admin");
  CHECK(given.at("selecting") == true);
  const auto call = get("/api/v1/calls/" + id);
  CHECK(call.at("selecting") == false);
  CHECK(call.at("devices") == "6");
  CHECK(call.at("byStep").size() == 6);
  REQUIRE(call.at("rows").size() == 6);
  CHECK(call.at("rows").at(0).at("deviceName") == "web-0");
  CHECK(call.at("rows").at(0).at("deviceId").get<std::string>().size() == 32);
  CHECK(call.at("nextCursor") == "");

  pass(1s);
  const auto later = give("keep_on", "*").at("id").get<std::string>();
  const auto list = get("/api/v1/calls").at("calls");
  REQUIRE(list.size() == 2);
  CHECK(list.at(0).at("id") == later);
  CHECK(list.at(0).at("devices") == "12");
  CHECK(list.at(1).at("id") == id);
  CHECK(list.at(1).at("rows").empty());
  const auto done = actions();
  CHECK(std::count(done.begin(), done.end(), "call.sync") == 1);
  CHECK(std::count(done.begin(), done.end(), "call.keep_on") == 1);
}

TEST_CASE_FIXTURE(calls_world, "rows come in pages whose cursors belong to their call and step") {
  for (std::uint16_t i = 0; i < 7; ++i)
    enrol(i, "web-" + std::to_string(i));
  const auto path = "/api/v1/calls/" + give("sync", "*").at("id").get<std::string>();
  const auto other = "/api/v1/calls/" + give("wake", "*").at("id").get<std::string>();
  std::set<std::string> names;
  std::string cursor;
  int pages = 0;
  do {
    const auto page = get(path + "?limit=3" + (cursor.empty() ? "" : "&cursor=" + cursor));
    for (const auto& row : page.at("rows"))
      names.insert(row.at("deviceName"));
    cursor = page.at("nextCursor");
  } while (++pages < 10 && !cursor.empty());
  CHECK(pages == 3);
  CHECK(names.size() == 7);
  cursor = get(path + "?limit=3").at("nextCursor");
  get(other + "?cursor=" + cursor, 400);
  get(path + "?step=failed&cursor=" + cursor, 400);
  CHECK(get(path + "?step=failed").at("rows").empty());
}

TEST_CASE_FIXTURE(calls_world, "what is no call is said so, and nobody is called") {
  enrol(1, "web-1");
  const auto says = [&](const std::string& body, const std::string& word) {
    const auto answer = post(body);
    CAPTURE(answer.body);
    CHECK(answer.status == 400);
    CHECK(answer.body.find(word) != std::string::npos);
  };
  says(R"({"kind":"sync","target":""})", "'*'");
  says(R"({"kind":"sync","target":"  "})", "'*'");
  says(R"({"kind":"sync"})", "'*'");
  says(R"({"kind":"dance","target":"*"})", "keep_on");
  says(R"({"target":"*"})", "keep_on");
  says(R"({"kind":"sync","target":"stat:idle"})", "target");
  says(json{{"kind", "sync"}, {"target", std::string(2'000, 'x')}}.dump(), "target");
  CHECK(get("/api/v1/calls").at("calls").empty());
  for (const auto* id : {"1", "0", "-1", "x", "99999999999999999999999"})
    get(std::string("/api/v1/calls/") + id, 404);
  get("/api/v1/calls/1?step=asleep", 400);
  CHECK(c.call("DELETE", "/api/v1/calls/1", bearer).status == 405);
}

TEST_CASE_FIXTURE(calls_world, "only an administrator gives calls; everybody who is logged in sees them") {
  add_user("reader", "some password", "viewer");
  const auto other = log_in("reader", "some password", "192.0.2.98").bearer;
  REQUIRE_FALSE(other.empty());
  const auto answer =
    c.call("POST", "/api/v1/calls", other, R"({"kind":"sync","target":"*"})");
  CHECK(answer.status == 403);
  CHECK(c.call("GET", "/api/v1/calls", other).status == 200);
  CHECK(c.call("GET", "/api/v1/calls").status == 401);
}

TEST_CASE_FIXTURE(calls_world, "with a full disk no call begins, and the status says why") {
  enrol(1, "web-1");
  db.fail_writes(make_error_code(storage::errc::disk_full));
  CHECK(post(R"({"kind":"sync","target":"*"})").status == 507);
  db.fail_writes({});
  CHECK(get("/api/v1/calls").at("calls").empty());
}
