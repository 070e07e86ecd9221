// Live events as server-sent events.

#include "actors/server/event_tail.hpp"
#include "tests/actors/console_world.hpp"

#include <doctest/doctest.h>

using namespace muster;
using namespace muster::actors;
using namespace std::chrono_literals;
using test::console_world;
using test::json;

namespace {

struct tail_world : console_world {
  std::string bearer = token();

  struct told_event {
    std::string event, id;
    json data;
  };

  client follow(const std::string& query = {}) {
    client out{*this};
    out.link->receive(client::text_of("GET", "/api/v1/events/stream" + query, bearer));
    settle();
    REQUIRE(out.link->sent.size() == 1);
    CHECK(out.link->sent[0].starts_with("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"));
    return out;
  }

  /// What a client makes of the stream.
  static std::vector<told_event> events(const client& c) {
    std::vector<told_event> out;
    net::http::event_stream_reader reader;
    for (std::size_t i = 1; i < c.link->sent.size(); ++i) {
      std::error_code ec;
      (void)reader.put(
        c.link->sent[i],
        [&](std::string_view event, std::string_view id, std::string_view data) {
          out.push_back({std::string{event}, std::string{id}, json::parse(data)});
          return true;
        },
        ec);
      CHECK_FALSE(ec);
    }
    return out;
  }

  std::uint64_t tails() {
    return ask<census_ptr>(root, atom::census_v)->by_stage.at("work");
  }
};

} // namespace

TEST_CASE_FIXTURE(tail_world, "a stream tells events as they are stored, from now on") {
  const auto device = enrol(1, "one");
  store_events(device, {event(1, severity::info, "before")});
  const auto c = follow();
  CHECK(tails() == 1);
  store_events(device, {event(2, severity::info, "two\nlines"), event(3, severity::critical, "c")});
  const auto told = events(c);
  REQUIRE(told.size() == 2);
  CHECK(told[0].event == "event");
  CHECK(told[0].data.at("text") == "two\nlines");
  CHECK(told[0].data.at("deviceId") == device.text());
  CHECK(told[0].data.at("severity") == "info");
  CHECK(told[1].data.at("sequence") == "3");
  CHECK(told[0].id == told[0].data.at("receivedUs"));
  // The same as the list says of it.
  client other{*this};
  CHECK(other.get("/api/v1/events?limit=1", bearer).at("events")[0] == told[1].data);
}

TEST_CASE_FIXTURE(tail_world, "a stream tells only of the device and from the severity asked for") {
  const auto one = enrol(1, "one");
  const auto two = enrol(2, "two");
  const auto c = follow("?severity=warning&device=" + one.text());
  store_events(one, {event(1, severity::info, "a"), event(2, severity::failure, "b")});
  store_events(two, {event(1, severity::failure, "c")});
  const auto told = events(c);
  REQUIRE(told.size() == 1);
  CHECK(told[0].data.at("text") == "b");
}

TEST_CASE_FIXTURE(tail_world, "a quiet stream is kept alive by comments, and uses the log-in") {
  const auto c = follow();
  pass(15s);
  CHECK(c.link->sent.size() == 2);
  CHECK(c.link->sent[1].starts_with(":"));
  for (int minute = 0; minute < 180; ++minute)
    pass(1min);
  CHECK_FALSE(c.link->closed);
  CHECK(whose(bearer).name == "admin");
}

TEST_CASE_FIXTURE(tail_world, "a stream ends with its log-in, and says so") {
  const auto c = follow();
  self->send(accounts, atom::logout_v, bearer);
  pass(16s);
  CHECK(c.link->closed);
  const auto told = events(c);
  REQUIRE(told.size() == 1);
  CHECK(told[0].event == "end");
  CHECK(told[0].data.at("reason") == "login");
  CHECK_FALSE(alive(c.session));
  CHECK(tails() == 0);
}

TEST_CASE_FIXTURE(tail_world, "a slow reader is disconnected, with a last event that says so") {
  const auto device = enrol(1, "one");
  const auto c = follow();
  c.link->full = true;
  store_events(device, {event(1, severity::info, "a")});
  CHECK_FALSE(c.link->closed);
  // Nothing is told out of order meanwhile.
  c.link->full = false;
  store_events(device, {event(2, severity::info, "b")});
  CHECK(events(c).empty());
  pass(1s);
  CHECK(c.link->closed);
  const auto told = events(c);
  REQUIRE(told.size() == 1);
  CHECK(told[0].event == "end");
  CHECK(told[0].data.at("reason") == "slow");
  CHECK_FALSE(alive(c.session));
}

TEST_CASE_FIXTURE(tail_world, "a reader that takes nothing at all is let go without a last word") {
  const auto device = enrol(1, "one");
  const auto c = follow();
  c.link->full = true;
  store_events(device, {event(1, severity::info, "a")});
  pass(tail_farewell_max - 1s);
  CHECK_FALSE(c.link->closed);
  pass(2s);
  CHECK(c.link->closed);
  CHECK(events(c).empty());
  CHECK(tails() == 0);
}

TEST_CASE_FIXTURE(tail_world, "one slow reader does not hold up another") {
  const auto device = enrol(1, "one");
  const auto slow = follow();
  const auto quick = follow();
  slow.link->full = true;
  store_events(device, {event(1, severity::info, "a")});
  store_events(device, {event(2, severity::info, "b")});
  CHECK(events(quick).size() == 2);
}

TEST_CASE_FIXTURE(tail_world, "a client that goes away ends its stream") {
  const auto c = follow();
  c.link->hang_up();
  settle();
  CHECK_FALSE(alive(c.session));
  CHECK(tails() == 0);
}

TEST_CASE_FIXTURE(tail_world, "a client that speaks on a stream ends it") {
  const auto c = follow();
  c.link->receive(client::text_of("GET", "/healthz"));
  settle();
  CHECK(c.link->closed);
  CHECK_FALSE(alive(c.session));
  CHECK(tails() == 0);
}

TEST_CASE_FIXTURE(tail_world, "when the server stops, a stream says so") {
  const auto c = follow();
  stop(root);
  CHECK(c.link->closed);
  const auto told = events(c);
  REQUIRE(told.size() == 1);
  CHECK(told[0].data.at("reason") == "stopping");
}
