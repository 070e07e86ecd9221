#include "actors/agent/limits.hpp"
#include "actors/agent/local_request.hpp"
#include "net/limits.hpp"

#include <doctest/doctest.h>

#include <string>

using namespace muster::actors;

namespace {

std::string problem_of(const std::string& text) {
  std::string problem;
  CHECK_FALSE(parse_local_request(text, problem));
  return problem;
}

local_order order_of(const std::string& text) {
  std::string problem;
  auto order = parse_local_request(text, problem);
  REQUIRE_MESSAGE(order, problem);
  CHECK(problem.empty());
  return *order;
}

} // namespace

TEST_CASE("a request for an event says how bad, what and more") {
  const auto order = order_of(
    R"({"do":"event","severity":"warning","text":"late","type":"backup.late","attributes":{"host":"a"}})");
  CHECK(order.what == local_order::kind::event);
  CHECK(order.event.severity == severity::warning);
  CHECK(order.event.text == "late");
  CHECK(order.event.type == "local.backup.late");
  CHECK(order.event.attributes.at("host") == "a");
}

TEST_CASE("severity and type may be left out, the prefix may be given") {
  const auto plain = order_of(R"({"do":"event","text":"x"})");
  CHECK(plain.event.severity == severity::info);
  CHECK(plain.event.type == "local.event");
  CHECK(order_of(R"({"do":"event","text":"x","type":"local.a"})").event.type == "local.a");
}

TEST_CASE("what programs of ours ask is understood") {
  raised_event event;
  event.severity = severity::failure;
  event.type = "disk";
  event.text = "broken \"disk\"\n";
  event.attributes["k"] = "v";
  const auto order = order_of(local_event_request(event));
  CHECK(order.event.severity == severity::failure);
  CHECK(order.event.type == "local.disk");
  CHECK(order.event.text == event.text);
  CHECK(order.event.attributes == event.attributes);
  using kind = local_order::kind;
  for (const auto what : {kind::status, kind::sync, kind::wake_test, kind::reload})
    CHECK(order_of(local_request_for(what)).what == what);
}

TEST_CASE("whatever is wrong is named") {
  CHECK(problem_of("") == "a request is one JSON object");
  CHECK(problem_of("[1]") == "a request is one JSON object");
  CHECK(problem_of("{}") == "'do' must be event, status, sync, wake-test or reload");
  CHECK(problem_of(R"({"do":7})") == "'do' must be event, status, sync, wake-test or reload");
  CHECK(problem_of(R"({"do":"status","x":1})") == "unknown member 'x'");
  CHECK(problem_of(R"({"do":"event"})") == "an event needs a 'text'");
  CHECK(problem_of(R"({"do":"event","text":1})") == "'text' must be a text");
  CHECK(problem_of(R"({"do":"event","text":"x","severity":"bad"})")
        == "'severity' must be info, warning, critical or failure");
  CHECK(problem_of(R"({"do":"event","text":"x","type":"a b"})").find("'type'") == 0);
  CHECK(problem_of(R"({"do":"event","text":"x","attributes":{"local.uid":"0"}})")
        == "attributes that begin with 'local.' are the agent's own");
  CHECK(problem_of(R"({"do":"event","text":"x","attributes":{"a":1}})") == "'a' must be a text");
  CHECK(problem_of(R"({"do":"event","text":"x","attributes":{"a":{}}})") == "'a' must be a text");
  CHECK(problem_of(R"({"do":"event","text":"x","attributes":{"a":{"b":1}}})")
        == "a request is one JSON object");
  CHECK(problem_of("{\"do\":\"event\",\"text\":\"\xff\"}") == "a request is one JSON object");
}

TEST_CASE("requests are bounded in every direction") {
  const auto text = [](std::size_t n) {
    return R"({"do":"event","text":")" + std::string(n, 'x') + "\"}";
  };
  CHECK(order_of(text(limits::event_text_bytes_max)).event.text.size() == 2'048);
  CHECK(problem_of(text(limits::event_text_bytes_max + 1)).find("'text' has more") == 0);
  CHECK(problem_of(text(muster::net::limits::local_message_bytes_max)).find("a request has at most")
        == 0);
  CHECK(problem_of(std::string(4'000, '[')) == "a request is one JSON object");
  std::string many = R"({"do":"event","text":"x","attributes":{)";
  for (int i = 0; i < 30; ++i)
    many += (i > 0 ? ",\"" : "\"") + std::to_string(i) + "\":\"v\"";
  CHECK(problem_of(many + "}}") == "more than 29 attributes");
}

TEST_CASE("answers are understood by who asked") {
  CHECK(parse_local_answer(local_ok()).ok);
  const auto refused = parse_local_answer(local_error("too \"many\" \xff"));
  CHECK_FALSE(refused.ok);
  CHECK(refused.error.find("too \"many\"") == 0);
  const auto wake = parse_local_answer(local_ok(wake_probe{true, false, 7, "why"}));
  CHECK(wake.ok);
  CHECK(wake.wake.sent);
  CHECK_FALSE(wake.wake.arrived);
  CHECK(wake.wake.took_ms == 7);
  CHECK(wake.wake.text == "why");
  CHECK_FALSE(parse_local_answer("{}").ok);
  CHECK(parse_local_answer("nonsense").error == "the agent answered what is no answer");
  CHECK_FALSE(parse_local_answer(R"({"ok":false})").error.empty());
}
