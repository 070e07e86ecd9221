// One console connection: who may ask what, and what comes back.

#include "actors/server/api/routes.hpp"
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

/// The route's path with something that fits in place of the name in braces.
std::string path_of(const api::route& r) {
  std::string out{r.path};
  const auto open = out.find('{');
  return open == std::string::npos ? out
                                   : out.replace(open, out.find('}') - open + 1,
                                                 "d0000000000000000000000000000001");
}

std::string header_of(const net::http::response& r, const std::string& name) {
  for (const auto& [key, value] : r.headers)
    if (key == name)
      return value;
  return {};
}

bool is_problem(const net::http::response& r, int status) {
  if (r.status != status || r.content_type != "application/problem+json")
    return false;
  const auto body = json::parse(r.body);
  return body.at("status") == status && !body.at("title").get<std::string>().empty()
         && !body.at("detail").get<std::string>().empty() && body.at("type") == "about:blank";
}

std::string body_for(const api::route& r) {
  return r.request.empty() ? "" : "{}";
}

} // namespace

TEST_CASE_FIXTURE(console_world, "without a log-in every route but three is refused") {
  std::set<std::string> open;
  for (const auto& r : api::routes()) {
    client stranger{*this};
    const auto answer = stranger.call(std::string{r.method}, path_of(r), {}, body_for(r));
    CAPTURE(r.path);
    if (answer.status == 401 && r.what != api::operation::login) {
      CHECK(is_problem(answer, 401));
      CHECK(header_of(answer, "www-authenticate").starts_with("Bearer"));
    } else {
      open.insert(std::string{r.path});
    }
  }
  CHECK(open == std::set<std::string>{"/api/v1/login", "/api/v1/openapi.json", "/healthz"});
}

TEST_CASE_FIXTURE(console_world, "with a token that is none every route but three is refused") {
  for (const auto& r : api::routes()) {
    client stranger{*this};
    const auto answer =
      stranger.call(std::string{r.method}, path_of(r), std::string(64, '0'), body_for(r));
    CAPTURE(r.path);
    if (r.who == api::access::anybody && r.what != api::operation::login)
      CHECK(answer.status == 200);
    else if (r.who != api::access::anybody)
      CHECK(is_problem(answer, 401));
  }
}

TEST_CASE_FIXTURE(console_world, "every path says which methods it takes") {
  client c{*this};
  for (const auto& r : api::routes()) {
    const auto answer = c.call("PATCH", path_of(r), token());
    CAPTURE(r.path);
    CHECK(is_problem(answer, 405));
    CHECK(header_of(answer, "allow").find(r.method) != std::string::npos);
  }
  CHECK(header_of(c.call("PUT", "/api/v1/tokens"), "allow") == "POST, GET");
}

TEST_CASE_FIXTURE(console_world, "what there is not is not found") {
  client c{*this};
  const auto bearer = token();
  for (const std::string path :
       {"/", "/api/v1", "/api/v1/", "/api/v2/devices", "/api/v1/devices/", "/api/v1/devices/x/y",
        "/api/v1/devices/x", "/api/v1/devices/d0000000000000000000000000000001",
        "/api/v1/whoami/", "/api/v1/devices/d0000000000000000000000000000001/applications"})
    CHECK(is_problem(c.call("GET", path, bearer), 404));
  CHECK(is_problem(c.call("DELETE", "/api/v1/tokens/none", bearer), 404));
}

TEST_CASE_FIXTURE(console_world, "every answer forbids caches and guesses") {
  client c{*this};
  const auto bearer = token();
  for (const auto& r : api::routes()) {
    if (r.what == api::operation::stream_events)
      continue;
    client each{*this};
    const auto answer = each.call(std::string{r.method}, path_of(r), bearer, body_for(r));
    CAPTURE(r.path);
    CHECK(header_of(answer, "cache-control") == "no-store");
    CHECK(header_of(answer, "x-content-type-options") == "nosniff");
    if (r.what == api::operation::logout)
      break;
  }
}

TEST_CASE_FIXTURE(console_world, "a log-in over HTTP works on every connection until its end") {
  client c{*this};
  const auto answer = c.call("POST", "/api/v1/login", {},
                             R"({"user":"admin","password":"correct horse"})");
  REQUIRE(answer.status == 200);
  const auto reply = json::parse(answer.body);
  const auto bearer = reply.at("token").get<std::string>();
  CHECK(reply.at("serverId") == std::string(32, 'a'));
  CHECK(reply.at("expiresUs").get<std::string>() == std::to_string(now_us() + 43'200'000'000));

  client other{*this};
  const auto who = other.get("/api/v1/whoami", bearer);
  CHECK(who.at("user") == "admin");
  CHECK(who.at("role") == "administrator");
  CHECK(who.at("serverVersion") == "0.1.0-test");

  CHECK(other.call("POST", "/api/v1/logout", bearer).status == 204);
  CHECK(is_problem(c.call("GET", "/api/v1/whoami", bearer), 401));
  // The newest entry names where the log-in came from.
  CHECK(entries().front().source() == "192.0.2.10");
}

TEST_CASE_FIXTURE(console_world, "a wrong password is 401, too many are 429 with a time to wait") {
  client c{*this};
  const std::string wrong = R"({"user":"admin","password":"guess"})";
  for (int i = 0; i < 10; ++i)
    CHECK(is_problem(c.call("POST", "/api/v1/login", {}, wrong), 401));
  const auto answer = c.call("POST", "/api/v1/login", {}, wrong);
  CHECK(is_problem(answer, 429));
  CHECK(header_of(answer, "retry-after") == "30");
}

TEST_CASE_FIXTURE(console_world, "the password can be changed by who knows it") {
  client c{*this};
  const auto mine = token();
  const auto other = token();
  CHECK(is_problem(c.call("POST", "/api/v1/password", mine,
                          R"({"oldPassword":"guess","newPassword":"battery staple"})"),
                   403));
  CHECK(is_problem(c.call("POST", "/api/v1/password", mine,
                          R"({"oldPassword":"correct horse","newPassword":"short"})"),
                   400));
  CHECK(c.call("POST", "/api/v1/password", mine,
               R"({"oldPassword":"correct horse","newPassword":"battery staple"})")
          .status
        == 204);
  CHECK(c.call("GET", "/api/v1/whoami", mine).status == 200);
  CHECK(c.call("GET", "/api/v1/whoami", other).status == 401);
  CHECK(initial_changed == 1);
}

TEST_CASE_FIXTURE(console_world, "a role that may not change things is refused by name") {
  add_user("eve", "just looking", "viewer");
  const auto bearer = log_in("eve", "just looking").bearer;
  client c{*this};
  CHECK(c.call("GET", "/api/v1/devices", bearer).status == 200);
  for (const auto& r : api::routes())
    if (r.who == api::access::administrator)
      CHECK(is_problem(c.call(std::string{r.method}, path_of(r), bearer, body_for(r)), 403));
  CHECK(actions() == std::vector<std::string>{"login"});
}

TEST_CASE_FIXTURE(console_world, "bodies must be JSON of the right kind, and not too large") {
  client c{*this};
  const auto bearer = token();
  const auto post = [&](const std::string& body, const std::string& headers = {}) {
    return c.call("POST", "/api/v1/tokens", bearer, body, headers);
  };
  CHECK(is_problem(post("{}", "Content-Type: text/plain\r\n"), 415));
  CHECK(is_problem(c.call("POST", "/api/v1/tokens", bearer), 415));
  CHECK(post("{}", "Content-Type: Application/JSON ; charset=utf-8\r\n").status == 201);
  CHECK(is_problem(post("{"), 400));
  CHECK(is_problem(post("[]"), 400));
  CHECK(is_problem(post(R"({"nam":"x"})"), 400));
  CHECK(is_problem(post(R"({"usesMax":-1})"), 400));
  CHECK(is_problem(post(R"({"lifetimeS":"-2"})"), 400));
  CHECK(is_problem(post("{\"name\":\"" + std::string(300, 'x') + "\"}"), 400));
  CHECK(is_problem(c.call("POST", "/api/v1/logout", bearer, "{}"), 400));
  CHECK(is_problem(c.call("POST", "/api/v1/login", {},
                          "{\"user\":\"" + std::string(5000, 'x') + "\"}"),
                   413));
  CHECK(c.call("GET", "/api/v1/whoami", bearer).status == 200);
}

TEST_CASE_FIXTURE(console_world, "a body beyond what the connection takes ends it with 413") {
  client c{*this};
  c.link->receive("POST /api/v1/tokens HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999\r\n\r\n");
  settle();
  CHECK(c.link->replies.starts_with("HTTP/1.1 413"));
  CHECK_FALSE(alive(c.session));
}

TEST_CASE_FIXTURE(console_world, "parameters are checked by name and kind") {
  client c{*this};
  const auto bearer = token();
  for (const std::string target :
       {"/api/v1/devices?limit=0", "/api/v1/devices?limit=1001", "/api/v1/devices?limit=x",
        "/api/v1/devices?limit=1&limit=2", "/api/v1/devices?lmit=1",
        "/api/v1/devices?target=colour:x", "/api/v1/devices?cursor=abc",
        "/api/v1/events?severity=loud", "/api/v1/events?device=x", "/api/v1/events?since=-1",
        "/api/v1/events?until=1e9", "/api/v1/whoami?x=1", "/api/v1/application_devices"})
    CHECK(is_problem(c.call("GET", target, bearer), 400));
  CHECK(is_problem(c.call("GET", "/api/v1/devices?target=" + std::string(1100, 'x'), bearer), 400));
}

TEST_CASE_FIXTURE(console_world, "a connection is kept for many requests, and closed when asked to") {
  client c{*this};
  const auto bearer = token();
  for (int i = 0; i < 5; ++i)
    CHECK(c.call("GET", "/api/v1/whoami", bearer).keep_alive);
  CHECK_FALSE(c.link->closed);
  const auto last = c.call("GET", "/api/v1/whoami", bearer, {}, "Connection: close\r\n");
  CHECK(last.status == 200);
  CHECK_FALSE(last.keep_alive);
  CHECK(c.link->closed);
  CHECK_FALSE(alive(c.session));
}

TEST_CASE_FIXTURE(console_world, "a request may come in pieces, and several at once") {
  client c{*this};
  const auto bearer = token();
  const auto text = client::text_of("GET", "/api/v1/whoami", bearer);
  for (const char byte : text) {
    c.link->receive({&byte, 1});
    settle();
  }
  REQUIRE(c.link->sent.size() == 1);
  CHECK(client::parse(c.link->sent[0]).status == 200);
  // One at a time: the second is taken up when the first is answered.
  c.link->receive(text + text + client::text_of("GET", "/healthz"));
  settle();
  REQUIRE(c.link->sent.size() == 4);
  CHECK(client::parse(c.link->sent[3]).body == "ok\n");
}

TEST_CASE_FIXTURE(console_world, "an idle connection is closed, a used one is not") {
  client c{*this};
  pass(console_idle_max - 1s);
  CHECK(c.call("GET", "/healthz").status == 200);
  pass(console_idle_max - 1s);
  CHECK_FALSE(c.link->closed);
  pass(1s);
  CHECK(c.link->closed);
  CHECK_FALSE(alive(c.session));
}

TEST_CASE_FIXTURE(console_world, "who does not read answers is disconnected") {
  client c{*this};
  c.link->full = true;
  c.link->receive(client::text_of("GET", "/healthz"));
  settle();
  CHECK(c.link->closed);
  CHECK_FALSE(alive(c.session));
}

TEST_CASE_FIXTURE(console_world, "a client that goes away in the middle of an answer is forgotten") {
  client c{*this};
  c.link->receive(client::text_of("GET", "/api/v1/devices", token()));
  c.link->hang_up();
  settle();
  CHECK_FALSE(alive(c.session));
}

TEST_CASE_FIXTURE(console_world, "stopping a session closes its connection") {
  client c{*this};
  stop(c.session);
  CHECK(c.link->closed);
}
