#include "tests/apps/console_world.hpp"

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

using namespace muster;
using namespace std::chrono_literals;
using muster::test::console_world;
using muster::test::fake_stream;
using muster::test::noon;
using muster::test::second;

namespace {

const std::string id_a = "aaaaaaaa000000000000000000000001";

std::string event(int sequence, console::moment_us at, const std::string& text,
                  const std::string& severity = "info") {
  return R"({"receivedUs":")" + std::to_string(at) + R"(","deviceId":")" + id_a +
         R"(","deviceName":"web-1","severity":")" + severity + R"(","type":"test.said","text":")" +
         text + R"(","epoch":"00ff","sequence":")" + std::to_string(sequence) + R"("})";
}

std::string list_of(const std::string& events) {
  return R"({"events":[)" + events + "]}";
}

fake_stream stream_of(std::vector<std::string> events) {
  fake_stream s;
  for (auto& e : events)
    s.items.push_back({"event", std::move(e)});
  return s;
}

/// Nobody may log in any more: the way a test ends a `--follow`.
fake_stream last_stream() {
  fake_stream s;
  s.items.push_back({"end", R"({"reason":"login","detail":"the log-in has ended"})"});
  return s;
}

/// How often a text was printed.
int times(const std::string& text, const std::string& part) {
  int count = 0;
  for (auto at = text.find(part); at != std::string::npos; at = text.find(part, at + 1))
    ++count;
  return count;
}

} // namespace

TEST_CASE_FIXTURE(console_world, "events are read like a log: the newest last") {
  server.on("GET /events", 200,
            list_of(event(2, noon, "two", "failure") + "," + event(1, noon - second, "one")));
  CHECK(run({"events", "--utc"}) == exit_fine);
  CHECK(person.printed == "TIME                  DEVICE  SEVERITY  TYPE       TEXT\n"
                          "2026-11-24 11:59:59Z  web-1   info      test.said  one\n"
                          "2026-11-24 12:00:00Z  web-1   failure   test.said  two\n");
  CHECK(server.asked[0].query_value("limit") == "50");
}

TEST_CASE_FIXTURE(console_world, "filters of events become the API's") {
  server.on("GET /devices", 200,
            R"({"devices":[{"id":")" + id_a + R"(","name":"web-1"}],"matching":"1"})");
  server.on("GET /events", 200, "{}");
  CHECK(run({"events", "--device", "web-1", "--severity", "warning", "--since", "2h", "--until",
             "2026-11-24T11:00Z"}) == exit_fine);
  const auto asked = server.to("/events");
  REQUIRE(asked.size() == 1);
  CHECK(asked[0].query_value("device") == id_a);
  CHECK(asked[0].query_value("severity") == "warning");
  CHECK(asked[0].query_value("since") == std::to_string(noon - 7200 * second));
  CHECK(asked[0].query_value("until") == std::to_string(noon - 3600 * second));
  CHECK(person.noted == "No such events.\n");
  CHECK(run({"events", "--severity", "loud"}) == exit_usage);
  CHECK(run({"events", "--since", "yesterday"}) == exit_usage);
  CHECK(person.noted.find("'yesterday' is no time") != std::string::npos);
}

TEST_CASE_FIXTURE(console_world, "following shows the last few, then each event once as it comes") {
  server.on("GET /events", 200, list_of(event(1, noon - second, "before")));
  server.streams.push_back(
    stream_of({event(2, noon, "live"), event(2, noon, "live"), event(3, noon + second, "later")}));
  server.streams.push_back(last_stream());
  CHECK(run({"events", "--follow", "--utc"}) == exit_unreachable);
  CHECK(person.printed == "2026-11-24 11:59:59Z  web-1             info      before\n"
                          "2026-11-24 12:00:00Z  web-1             info      live\n"
                          "2026-11-24 12:00:01Z  web-1             info      later\n");
  CHECK(server.asked[0].query_value("limit") == "10");
  CHECK(person.noted.ends_with("muster: the log-in has ended\n"));
}

TEST_CASE_FIXTURE(console_world, "what happened between the list and the stream is not lost") {
  server.on("GET /events", [](const net::http::request& r) {
    net::http::response answer;
    const auto first = event(1, noon - 60 * second, "first");
    answer.body =
      r.query_value("since")
        ? list_of(event(3, noon, "live") + "," + event(2, noon - second, "between") + "," + first)
        : list_of(first);
    return answer;
  });
  server.streams.push_back(stream_of({event(3, noon, "live")}));
  server.streams.push_back(last_stream());
  CHECK(run({"events", "--follow"}) == exit_unreachable);
  CHECK(times(person.printed, "first") == 1);
  CHECK(times(person.printed, "between") == 1);
  CHECK(times(person.printed, "live") == 1);
  CHECK(person.printed.find("between") < person.printed.find("live"));
}

TEST_CASE_FIXTURE(console_world,
                  "following comes back after a lost connection, more patient each time") {
  server.on("GET /events", 200, list_of(event(1, noon, "first")));
  fake_stream lost;
  lost.orderly = false;
  lost.problem = "the server has been silent for 90 s";
  server.streams.push_back(lost);
  server.streams.push_back(lost);
  auto told = stream_of({event(2, noon + second, "second")});
  told.items.push_back({"end", R"({"reason":"stopping","detail":"the server stops"})"});
  server.streams.push_back(told);
  server.streams.push_back(last_stream());
  CHECK(run({"events", "--follow"}) == exit_unreachable);
  CHECK(person.waited == std::vector<std::chrono::milliseconds>{1s, 2s, 1s});
  CHECK(times(person.printed, "second") == 1);
  CHECK(person.noted.find("silent for 90 s; trying again in 1 s") != std::string::npos);
  CHECK(person.noted.find("the server stops; trying again in 1 s") != std::string::npos);
}

TEST_CASE_FIXTURE(console_world, "following ends when nobody reads it any more") {
  server.on("GET /events", 200, "{}");
  auto s = stream_of({event(1, noon, "one"), event(2, noon, "two")});
  server.streams.push_back(s);
  person.reads_left = 0;
  CHECK(run({"events", "--follow"}) == exit_fine);
  CHECK(times(person.printed, "web-1") == 1);
}

TEST_CASE_FIXTURE(console_world,
                  "following as JSON is one document a line, unknown fields included") {
  server.on("GET /events", 200, list_of(event(1, noon, "first")));
  server.streams.push_back(stream_of({R"({"sequence":"2", "news": true})"}));
  server.streams.push_back(last_stream());
  CHECK(run({"events", "--follow", "--json"}) == exit_unreachable);
  const auto end = person.printed.find('\n');
  CHECK(nlohmann::json::parse(person.printed.substr(0, end))["text"] == "first");
  CHECK(person.printed.substr(end + 1) == R"({"sequence":"2","news":true})"
                                          "\n");
}

TEST_CASE_FIXTURE(console_world, "following without being allowed to ends at once") {
  server.on("GET /events", 403, R"({"title":"Not allowed"})");
  CHECK(run({"events", "--follow"}) == exit_refused);
  server.on("GET /events", 200, "{}");
  server.on("GET /events/stream", 403, R"({"title":"Not allowed"})");
  CHECK(run({"events", "--follow"}) == exit_refused);
  CHECK(person.waited.empty());
}

TEST_CASE_FIXTURE(console_world,
                  "following a server that was restarted and knows us no more ends") {
  server.on("GET /events", 200, list_of(event(1, noon, "first")));
  server.on("GET /events/stream", 503,
            R"({"type":"about:blank","detail":"the server is stopping"})");
  person.on_wait = [this] { server.on("GET /events/stream", 401, R"({"title":"Unauthorized"})"); };
  CHECK(run({"events", "--follow"}) == exit_unreachable);
  CHECK(person.waited == std::vector<std::chrono::milliseconds>{1s});
  CHECK(person.noted.starts_with("muster: the server is stopping; trying again in 1 s\n"));
  CHECK(person.noted.ends_with("log in again: muster login https://server.example:13299\n"));
}
