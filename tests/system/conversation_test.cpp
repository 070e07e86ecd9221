// Must hold: what agents of this version of the protocol say is understood by every later server,
// also when it comes from a later agent. (What servers say: tests/agent/conversation_test.cpp.)

#include "net/agent_identity.hpp"
#include "net/frame.hpp"
#include "net/limits.hpp"
#include "net/plain_frame.hpp"
#include "tests/conversation/conversation.hpp"
#include "tests/system/fleet.hpp"
#include "tests/system/plain_wire.hpp"

#include <doctest/doctest.h>

#include <google/protobuf/util/json_util.h>

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <deque>
#include <fstream>
#include <future>
#include <map>
#include <memory>

using namespace muster;
using namespace muster::test;
using namespace std::chrono_literals;

namespace {

wire::agent_message from_agent(const utterance& one) {
  wire::agent_message out;
  REQUIRE(out.ParseFromString(one.bytes));
  return out;
}

wire::server_message from_server(const utterance& one) {
  wire::server_message out;
  REQUIRE(out.ParseFromString(one.bytes));
  return out;
}

nlohmann::json as_json(const google::protobuf::Message& message) {
  std::string out;
  REQUIRE(google::protobuf::util::MessageToJsonString(message, &out).ok());
  return nlohmann::json::parse(out);
}

/// Everything that is in `part` is in `whole`, which may say more.
bool contains(const nlohmann::json& whole, const nlohmann::json& part) {
  if (part.is_object()) {
    if (!whole.is_object())
      return false;
    for (auto one = part.begin(); one != part.end(); ++one)
      if (!whole.contains(one.key()) || !contains(whole[one.key()], one.value()))
        return false;
    return true;
  }
  if (!part.is_array())
    return whole == part;
  if (!whole.is_array() || whole.size() != part.size())
    return false;
  for (std::size_t i = 0; i < part.size(); ++i)
    if (!contains(whole[i], part[i]))
      return false;
  return true;
}

/// Somebody who claims to be this device, on another machine: the server asks the one that is here
/// for a sign of life, and refuses the other.
void come_as_a_clone(wire_identity who, std::uint16_t port) {
  wire_client clone;
  who.boot = std::string(16, 'c');
  who.counter += 1'000;
  REQUIRE(clone.connect(who, port) == "");
  REQUIRE(clone.say(make_hello(who)));
  const auto answer = clone.hear();
  REQUIRE(answer.has_value());
  CHECK(answer->refused().reason() == wire::refusal_identity_in_use);
}

// -- saying it again ------------------------------------------------------------------------------

/// Says the agent's part to a real server, hears the server's, and sees to it that what an
/// administrator did then is done again.
class player {
public:
  explicit player(const conversation& said) : said_(said) {
    server_.start();
    console_ = std::make_unique<console_under_test>(server_);
    const auto hello = from_agent(said_.front()).hello();
    old_id_ = hello.device_id();
    who_.pin = server_.pin_bytes();
    who_.fingerprint = hello.fingerprint();
    who_.counter = hello.counter();
    REQUIRE(enrol(who_, server_.agents_port(), server_.first_token(), "played") == "");
    REQUIRE(client_.connect(who_, server_.agents_port()) == "");
  }

  void play() {
    for (const auto& one : said_) {
      CAPTURE(one.kind);
      if (one.up) {
        REQUIRE(client_.say_bytes(with_replaced(one.bytes, old_id_, who_.device_id)));
        continue;
      }
      give_cue(one.kind);
      expect(from_server(one));
    }
    CHECK(server_.program().wait() == 0);
  }

private:
  [[nodiscard]] std::string id() const {
    return net::to_hex({reinterpret_cast<const std::uint8_t*>(who_.device_id.data()),
                        who_.device_id.size()});
  }

  [[nodiscard]] wire::device_facts facts() const {
    wire::device_facts out;
    REQUIRE(out.ParseFromString(section_of(said_, wire::section_facts)));
    return out;
  }

  void give_cue(const std::string& kind) {
    if (kind == "sync_now")
      orders_.push_back(console_->follow({"sync", facts().host_name()}));
    else if (kind == "keep")
      orders_.push_back(console_->follow({"keep", "on", facts().host_name()}));
    else if (kind == "ping")
      clone_ = std::async(std::launch::async, come_as_a_clone, who_, server_.agents_port());
    else if (kind == "goodbye") {
      expect_stored();
      server_.program().signal(SIGTERM);
    }
  }

  /// The next of its kind; acknowledgements may come in one for several.
  void expect(wire::server_message wanted) {
    wanted.DiscardUnknownFields();
    auto& waiting = heard_[wanted.body_case()];
    while (waiting.empty()) {
      const auto next = client_.hear_any();
      REQUIRE_MESSAGE(next.has_value(), last_words_);
      last_words_ = next->ShortDebugString();
      heard_[next->body_case()].push_back(*next);
    }
    const auto heard = waiting.front();
    CAPTURE(heard.ShortDebugString());
    CHECK(heard.welcome().plan().SerializeAsString() ==
          wanted.welcome().plan().SerializeAsString());
    CHECK(heard.sync_plan().SerializeAsString() == wanted.sync_plan().SerializeAsString());
    CHECK(heard.keep().on() == wanted.keep().on());
    CHECK(heard.events_position().sequence() == wanted.events_position().sequence());
    CHECK(heard.events_ack().epoch() == wanted.events_ack().epoch());
    CHECK(heard.events_ack().sequence() >= wanted.events_ack().sequence());
    if (heard.events_ack().sequence() <= wanted.events_ack().sequence())
      waiting.pop_front();
  }

  /// What the agent said is what the console shows.
  void expect_stored() {
    if (clone_.valid())
      clone_.get();
    for (const auto& order : orders_)
      CHECK_MESSAGE(order->wait() == 0, order->output());
    auto device = console_->json({"device", id(), "--facts", "--apps", "--services"});
    CAPTURE(device.dump());
    CHECK(contains(device["device"]["facts"], as_json(facts())));
    wire::applications applications;
    REQUIRE(applications.ParseFromString(section_of(said_, wire::section_applications)));
    REQUIRE(applications.items_size() > 0);
    CHECK(contains(device["applications"]["applications"], as_json(applications)["items"]));
    wire::run_states states;
    REQUIRE(states.ParseFromString(section_of(said_, wire::section_run_states)));
    REQUIRE(states.items_size() > 0);
    CHECK(contains(device["runStates"]["runStates"], as_json(states)["items"]));
    expect_events();
  }

  void expect_events() {
    std::map<std::string, nlohmann::json> stored; // the server's own have its epoch
    for (const auto& one : console_->list({"events", "--all"}, "events"))
      stored[one.value("epoch", "") + one.value("sequence", "")] = one;
    std::size_t said = 0;
    for (const auto& one : said_) {
      if (one.kind != "events")
        continue;
      const auto message = from_agent(one);
      for (const auto& event : message.events().items()) {
        ++said;
        char epoch[17];
        std::snprintf(epoch, sizeof epoch, "%016llx",
                      static_cast<unsigned long long>(message.events().epoch()));
        const auto& kept = stored[epoch + std::to_string(event.sequence())];
        CAPTURE(kept.dump());
        CHECK(kept.value("type", "") == event.type());
        CHECK(kept.value("text", "") == event.text());
        CHECK(kept.value("timeUs", "") == std::to_string(event.time_ms() * 1'000));
        for (const auto& [key, value] : event.attributes())
          CHECK(kept["attributes"].value(key, "") == value);
      }
    }
    CHECK(said > 0);
  }

  const conversation said_;
  server_under_test server_;
  std::unique_ptr<console_under_test> console_;
  wire_identity who_;
  std::string old_id_;
  wire_client client_;
  std::map<int, std::deque<wire::server_message>> heard_;
  std::string last_words_;
  std::vector<std::unique_ptr<process>> orders_;
  std::future<void> clone_;
};

// -- recording ------------------------------------------------------------------------------------

/// The messages inside of the plain port's frames.
conversation messages_in(const std::vector<std::pair<bool, std::string>>& frames) {
  conversation out;
  std::map<bool, std::string> streams;
  for (const auto& [up, frame] : frames) {
    const auto payload = std::string_view(frame).substr(net::frame_header_bytes);
    if (payload.front() != static_cast<char>(net::plain_kind::data))
      continue;
    auto& stream = streams[up];
    stream += payload.substr(1, payload.size() - 1 - net::plain_tag_bytes);
    for (;;) {
      const auto front = net::peek_frame(stream, net::limits::frame_bytes_max);
      if (front.status != net::frame_status::complete)
        break;
      out.push_back({up, kind_of(up, front.payload), std::string(front.payload)});
      stream.erase(0, front.frame_bytes);
    }
  }
  return out;
}

/// The agent's own, by which another program on this machine can say that it is the agent.
wire_identity identity_of(const agent_under_test& agent, const server_under_test& server) {
  std::string problem;
  const auto found = net::load_agent_identity(agent.data() / "identity", problem);
  REQUIRE_MESSAGE(found.has_value(), problem);
  wire_identity out;
  out.key = found->key;
  out.leaf = found->leaf;
  out.device_id.assign(found->device_id.begin(), found->device_id.end());
  out.server_id = found->server_id;
  out.pin = server.pin_bytes();
  std::ifstream machine("/etc/machine-id");
  std::string id;
  machine >> id;
  const auto digest = net::sha256("muster machine fingerprint v1\n" + id);
  out.fingerprint.assign(digest.begin(), digest.begin() + 16);
  return out;
}

/// A real agent and a real server talk about everything there is to talk about on the plain port,
/// the only one on which somebody in between can listen.
conversation record() {
  server_under_test server{{"--plain-enabled"}};
  server.start();
  const console_under_test console{server};
  agent_under_test agent{server, "recorded-desk"};
  middle between(server.plain_port(), script{});
  agent.start({"--transport", "plain", "--plain-port", std::to_string(between.port()),
               "--sync-keep", "--wake-port", "0"});
  const auto is_known = [&](const std::string& text) {
    return console.json({"events", "--all"}).dump().find(text) != std::string::npos;
  };
  REQUIRE(eventually([&] {
    return console.json({"device", "recorded-desk"})["sections"].size() == 3 &&
           is_known("agent.started");
  }));
  REQUIRE(agent.run({"event", "--severity", "warning", "--type", "disk.slow", "--attribute",
                     "disk=sda", "the disk is slow"})
            .exit_code == 0);
  REQUIRE(eventually([&] { return is_known("the disk is slow"); }));
  REQUIRE(console.run({"sync", "recorded-desk"}).exit_code == 0);
  REQUIRE(console.run({"keep", "on", "recorded-desk"}).exit_code == 0);
  come_as_a_clone(identity_of(agent, server), server.agents_port());
  CHECK(server.stop() == 0);
  between.join();
  agent.kill();
  return messages_in(between.passed());
}

} // namespace

TEST_CASE("what an agent of this version once said is understood, and stored as it was said") {
  player{recorded_conversation(1)}.play();
}

TEST_CASE("a newer agent, with fields in every message that nobody knows, is understood") {
  player{as_if_newer(recorded_conversation(1))}.play();
}

TEST_CASE("a newer agent enrols, and its unknown message is refused by name") {
  server_under_test server;
  server.start();
  wire_identity who;
  who.pin = server.pin_bytes();
  {
    wire_client stranger;
    REQUIRE(stranger.connect(who, server.agents_port()) == "");
    const auto request =
      make_enrol_request(who, stranger.peer(), server.first_token(), "tomorrow").SerializeAsString();
    const auto newer = as_if_newer({{true, "enrol_request", request}});
    REQUIRE(stranger.say_bytes(newer.front().bytes));
    const auto answer = stranger.hear();
    REQUIRE(answer.has_value());
    CHECK(answer->has_enrol_reply());
  }
  auto known = server.enrol_wire_device("known");
  wire_client client;
  REQUIRE(greet(client, known, server.agents_port()) == "");
  wire::agent_message unknown;
  unknown.GetReflection()->MutableUnknownFields(&unknown)->AddLengthDelimited(59, "\x08\x01");
  REQUIRE(client.say(unknown));
  const auto answer = client.hear();
  REQUIRE(answer.has_value());
  CHECK(answer->refused().reason() == wire::refusal_protocol);
  CHECK_MESSAGE(answer->refused().text().find("unknown message") != std::string::npos,
                answer->refused().text());
  CHECK(client.ends_within());
  // The next connection is welcome.
  CHECK(greet(client, known, server.agents_port()) == "");
}

TEST_CASE("a conversation of real programs is recorded, message by message, and reads as written") {
  const auto said = record();
  for (const auto* kind :
       {"hello", "section_chunk", "events", "sync_request", "pong", "welcome", "sync_done",
        "events_position", "events_ack", "sync_now", "sync_plan", "keep", "ping", "goodbye"}) {
    CAPTURE(kind);
    CHECK(count_of(said, kind) > 0);
    CHECK(count_of(recorded_conversation(1), kind) > 0);
  }
  CHECK(count_of(said, "") == 0);
  const temporary_directory directory;
  const auto file = directory.path() / "talk.txt";
  write_conversation(file, said, "a test's own");
  CHECK(read_conversation(file) == said);
  if (const auto* const kept = std::getenv("MUSTER_RECORD"))
    write_conversation(kept, said,
                       "Recorded from muster-agent and muster-server, protocol 1; see README.md.");
}
