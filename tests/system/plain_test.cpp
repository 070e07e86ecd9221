// Must hold: the plain port gives agents what the TLS port gives them, but for secrecy; and whoever
// sits in between can read, and nothing else.

#include "net/plain_messages.hpp"
#include "tests/system/agent_side.hpp"
#include "tests/system/plain_wire.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <future>
#include <map>
#include <memory>
#include <vector>

using namespace muster;
using namespace muster::test;
using namespace std::chrono_literals;

namespace {

const words plain_on{"--plain-enabled"};

std::uint64_t plain_figure(const server_under_test& server, const std::string& name) {
  return figures{server}.of("agents_plain_" + name);
}

/// Connections to the plain port that did not go as they should.
std::uint64_t bad_ones(const server_under_test& server) {
  const figures now{server};
  std::uint64_t sum = 0;
  for (const auto* name : {"handshakes_failed", "handshakes_timed_out", "connections_broken",
                           "connections_cut"})
    sum += now.of("agents_plain_" + std::string{name} + "_total");
  return sum;
}

/// Everything stored, by device's name: the texts of the events a test sent.
std::map<std::string, std::vector<std::string>> stored(const console_under_test& console) {
  std::map<std::string, std::vector<std::string>> out;
  for (const auto& event : console.list({"events", "--all"}, "events"))
    if (event.value("type", "") == "test.said")
      out[event.value("deviceName", "")].push_back(event.value("text", ""));
  for (auto& [name, texts] : out)
    std::sort(texts.begin(), texts.end());
  return out;
}

/// Who waits so long for what somebody holds back waits in vain. Less than the server's own patience
/// with a handshake, so that it is the agent that gives up.
constexpr auto held_back_max = 8s;

constexpr std::uint64_t epoch = 7;

wire::agent_message event(std::uint64_t sequence, const std::string& text) {
  wire::agent_message message;
  auto& said = *message.mutable_events();
  said.set_epoch(epoch);
  if (sequence > 1) {
    said.mutable_after()->set_epoch(epoch);
    said.mutable_after()->set_sequence(sequence - 1);
  } else {
    said.mutable_after();
  }
  auto& one = *said.add_items();
  one.set_sequence(sequence);
  one.set_severity(wire::severity_info);
  one.set_type("test.said");
  one.set_text(text);
  return message;
}

struct outcome {
  bool clean = false;          ///< the agent has had everything, to the end
  std::uint64_t acked = 0;     ///< as the agent heard
  std::string why;
  bool done = false;           ///< the deed
  std::size_t frames_up = 0;
  std::size_t frames_down = 0;
  std::string recorded;
};

/// Until an acknowledgement of this one, or until it is no use to wait.
void wait_for_ack(plain_talk& talk, std::uint64_t sequence, std::chrono::milliseconds patience,
                  outcome& out) {
  while (out.acked < sequence) {
    const auto heard = talk.hear(patience);
    if (!heard)
      return;
    if (heard->has_events_ack())
      out.acked = heard->events_ack().sequence();
  }
}

/// A hello and two events, over somebody who does what is in the script.
outcome converse(wire_identity who, const std::string& name, std::uint16_t port, script what,
                 std::chrono::milliseconds patience) {
  middle between(port, what);
  outcome out;
  {
    plain_talk talk(who, between.port());
    if (talk.handshake(patience)) {
      talk.say(make_hello(who));
      talk.say(event(1, name + " first"));
      wait_for_ack(talk, 1, patience, out);
      talk.say(event(2, name + " second"));
      wait_for_ack(talk, 2, patience, out);
      out.clean = talk.finish(patience);
    }
    out.why = talk.why();
  }
  between.join();
  out.done = between.done();
  out.frames_up = between.frames(true);
  out.frames_down = between.frames(false);
  out.recorded = between.recorded();
  return out;
}

} // namespace

TEST_CASE("the plain port is off unless it is asked for, and the agent never falls back") {
  server_under_test server;
  server.start();
  const console_under_test console{server};
  CHECK(console.json({"server", "status"}).value("agentsPlainPort", 0) == 0);
  // Nobody is there: a port that was free a moment ago.
  agent_under_test agent{server, "stubborn",
                         {"--transport", "plain", "--plain-port",
                          std::to_string(server.agents_port()), "--wake-port", "0"}};
  agent.start();
  CHECK_MESSAGE(agent.program().expect("speaks TLS.*plain.enabled").has_value(),
                agent.program().output());
  CHECK(state_of(console, "stubborn") == "never");
  CHECK(agent.stop() == 0);
}

TEST_CASE("nobody enrols on the plain port, known or not") {
  server_under_test server{plain_on};
  server.start();
  auto who = server.enrol_wire_device("known");
  const auto port = server.plain_port();

  plain_talk talk(who, port);
  REQUIRE_MESSAGE(talk.handshake(patience), talk.why());
  net::peer_info nothing;
  nothing.exporter.emplace();
  talk.say(make_enrol_request(who, nothing, server.first_token(), "second"));
  const auto answer = talk.hear(patience);
  REQUIRE(answer.has_value());
  CHECK(answer->refused().reason() == wire::refusal_protocol);
  CHECK(answer->refused().text().find("enrol_request is not allowed") != std::string::npos);

  // A stranger has no certificate to show: it gets no further than its first frame, and no answer.
  std::string hello(1, static_cast<char>(net::plain_kind::agent_hello));
  hello += net::plain::opening;
  hello += static_cast<char>(net::plain_version);
  hello += std::string(64, 'x');
  hello += '\0';
  net::prepend_frame_header(hello);
  CHECK(answer_to(hello, port, patience).empty());
  CHECK(answer_to("GET / HTTP/1.1\r\n\r\n", port, patience).empty());
  CHECK(eventually([&] { return plain_figure(server, "handshakes_failed_total") == 2; }));

  // The program itself, sent to the wrong port.
  temporary_directory elsewhere;
  const auto refused =
    run({MUSTER_AGENT_PATH, "--config", elsewhere.write("agent.toml", "").string(), "--data",
         (elsewhere.path() / "agent").string(), "enrol", "--server",
         "127.0.0.1:" + std::to_string(port), "--pin", server.pin(), "--token",
         server.first_token()});
  CHECK_MESSAGE(refused.exit_code == 1, refused.output);
  const console_under_test console{server};
  CHECK(console.list({"devices"}, "devices").size() == 1);
}

TEST_CASE("a revoked device is refused on the plain port as on the other, and told so") {
  server_under_test server{plain_on};
  server.start();
  auto who = server.enrol_wire_device("gone");
  const console_under_test console{server};
  plain_talk before(who, server.plain_port());
  REQUIRE(before.handshake(patience));
  before.say(make_hello(who));
  const auto welcome = before.hear(patience);
  REQUIRE(welcome.has_value());
  CHECK(welcome->has_welcome());
  CHECK(welcome->welcome().datagram_keys_size() == 0); // anybody could read them
  CHECK(console.run({"revoke", "gone"}).exit_code == 0);
  const auto farewell = before.hear(patience); // the live one ends at once
  REQUIRE(farewell.has_value());
  CHECK(farewell->refused().reason() == wire::refusal_revoked);

  plain_talk after(who, server.plain_port());
  REQUIRE(after.handshake(patience));
  after.say(make_hello(who));
  const auto answer = after.hear(patience);
  REQUIRE(answer.has_value());
  CHECK(answer->refused().reason() == wire::refusal_revoked);
}

TEST_CASE("a recorded conversation with the plain port is refused the second time") {
  server_under_test server{plain_on};
  server.start();
  const auto who = server.enrol_wire_device("recorded");
  const auto first = converse(who, "recorded", server.plain_port(), {}, patience);
  REQUIRE_MESSAGE(first.clean, first.why);
  REQUIRE(eventually([&] { return plain_figure(server, "connections_open") == 0; }));
  CHECK(bad_ones(server) == 0);
  static_cast<void>(answer_to(first.recorded, server.plain_port(), patience));
  CHECK(eventually([&] { return plain_figure(server, "handshakes_failed_total") == 1; }));
  const console_under_test console{server};
  CHECK(stored(console)["recorded"] == std::vector<std::string>{"recorded first",
                                                                "recorded second"});
}

TEST_CASE("whatever somebody in between does to a frame, both ends notice and nothing wrong is kept") {
  server_under_test server{plain_on};
  server.start();
  const auto port = server.plain_port();
  const auto plain = converse(server.enrol_wire_device("plain"), "plain", port, {}, patience);
  REQUIRE_MESSAGE(plain.clean, plain.why);
  REQUIRE(plain.acked == 2);

  struct attempt {
    std::string name;
    script what;
    std::future<outcome> result;
  };
  std::vector<attempt> attempts;
  for (const bool up : {true, false}) {
    const auto frames = up ? plain.frames_up : plain.frames_down;
    for (std::size_t frame = 0; frame < frames; ++frame)
      for (const auto what : {deed::flip, deed::drop, deed::repeat, deed::swap, deed::cut}) {
        auto name = std::string{up ? "up-" : "down-"} + std::to_string(frame) + "-" +
                    std::string{name_of(what)};
        auto who = server.enrol_wire_device(name);
        const script to_do{up, frame, what};
        const bool held_back = what == deed::drop || what == deed::swap;
        const std::chrono::milliseconds longest = held_back ? held_back_max : patience;
        attempts.push_back(
          {name, to_do,
           std::async(std::launch::async, converse, who, name, port, to_do, longest)});
      }
  }
  std::map<std::string, std::uint64_t> acked;
  std::uint64_t server_should_notice = 0;
  for (auto& one : attempts) {
    CAPTURE(one.name);
    const auto result = one.result.get();
    CAPTURE(result.why);
    acked[one.name] = result.acked;
    const auto last = (one.what.up ? plain.frames_up : plain.frames_down) - 1;
    const bool is_end = one.what.frame == last;
    CHECK(result.done);
    // What comes behind the end is nothing; all else the agent sees.
    const bool harmless = is_end && one.what.what == deed::repeat;
    CHECK(result.clean == harmless);
    // The server's end is the last word of all: nobody tells it that this did not arrive. Nor what
    // the agent misses only behind its own end: the last acknowledgement, when it is held back.
    const bool held_back = one.what.what == deed::drop || one.what.what == deed::swap;
    const bool behind_end = is_end || (one.what.frame + 1 == last && held_back);
    if (!harmless && (one.what.up || !behind_end))
      ++server_should_notice;
  }
  CHECK(eventually([&] { return plain_figure(server, "connections_open") == 0; }));
  CHECK(eventually([&] { return bad_ones(server) >= server_should_notice; }));
  CHECK(bad_ones(server) == server_should_notice);

  const console_under_test console{server};
  auto kept = stored(console);
  for (const auto& one : attempts) {
    CAPTURE(one.name);
    const std::vector<std::string> both{one.name + " first", one.name + " second"};
    const auto& texts = kept[one.name];
    // From the first one on, each once, as it was said; and what was acknowledged is there.
    CHECK(texts.size() >= acked[one.name]);
    CHECK(texts.size() <= both.size());
    CHECK(std::equal(texts.begin(), texts.end(), both.begin()));
  }
}

TEST_CASE("an agent whose frames somebody touches comes again until they pass, and loses nothing") {
  server_under_test server{plain_on};
  server.start();
  const console_under_test console{server};
  // Those deeds that are noticed at once; what is held back costs patience, above.
  std::vector<script> scripts;
  for (const bool up : {true, false})
    for (std::size_t frame = 0; frame < 3; ++frame)
      for (const auto what : {deed::flip, deed::repeat, deed::cut})
        scripts.push_back({up, frame, what});
  const auto deeds = scripts.size();
  scripts.resize(deeds + 20);
  middle between(server.plain_port(), scripts);
  agent_under_test agent{server, "touched",
                         {"--transport", "plain", "--plain-port", std::to_string(between.port()),
                          "--sync-keep"}};
  agent.start();
  CHECK(agent.run({"event", "said once"}).exit_code == 0);

  // Asked for a sync it does not wait until its next attempt is due.
  REQUIRE(eventually([&] { return agent.run({"sync"}).exit_code == 0 && between.over() >= deeds; },
                     comeback_max));
  CHECK(between.deeds() == deeds);
  // The last one that is touched may end behind its sync; then the agent comes once more.
  REQUIRE(eventually([&] {
    return state_of(console, "touched") == "connected" && bad_ones(server) >= deeds &&
           status_of(agent).value("events_waiting", 1) == 0;
  }, comeback_max));
  CHECK(bad_ones(server) == deeds);
  std::size_t times = 0;
  for (const auto& one : console.list({"events", "--all"}, "events"))
    times += one.value("text", "") == "said once" ? 1 : 0;
  CHECK(times == 1);
  CHECK(agent.stop() == 0);
  CHECK(server.stop() == 0);
}
