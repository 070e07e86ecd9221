// The session by itself: who may say what when, how it ends, what it does for the directory.
#include "tests/actors/session_world.hpp"

#include <caf/exit_reason.hpp>

using namespace muster;
using namespace muster::test;
using namespace std::chrono_literals;
using rules::peer_state;

namespace {

/// Every message an agent can send, and two that it cannot.
std::vector<std::pair<std::string, std::string>> every_message() {
  wire::agent_message open, pong, test, wishes;
  test.mutable_wake_test();
  auto& wish = *wishes.mutable_documents_request()->add_wishes();
  wish.set_kind(wire::document_settings);
  wish.set_name("sshd");
  wish.set_hash(std::string(16, 'h'));
  open.mutable_events_open();
  pong.mutable_pong();
  const auto text = [](const wire::agent_message& m) { return m.SerializeAsString(); };
  return {
    {"enrol_request", text(session_world::enrol_request())},
    {"hello", text(session_world::hello())},
    {"sync_request", text(session_world::sync_request())},
    {"section_chunk", text(session_world::chunk(0, facts("mill")))},
    {"events_open", text(open)},
    {"events", text(session_world::events({}, 5, 1, 2))},
    {"pong", text(pong)},
    {"wake_test", text(test)},
    {"documents_request", text(wishes)},
    {"unknown message", std::string{}},                  // no body at all
    {"unknown message", std::string("\xa2\x01\x00", 3)}, // field 20: of a later version
  };
}

struct state_world : session_world {
  /// A connection in that state.
  connection in(peer_state wanted) {
    switch (wanted) {
    case peer_state::anonymous:
      return connect(false);
    case peer_state::proved:
      return connect();
    case peer_state::active:
      return welcome();
    case peer_state::enrolling: {
      silent = true;
      auto out = connect(false);
      say(out, enrol_request());
      return out;
    }
    case peer_state::admitting: {
      silent = true;
      auto out = connect();
      say(out, hello());
      return out;
    }
    case peer_state::ending: {
      auto out = welcome();
      out.link->lingers = true;
      self->send(out.session, atom::ending_v, session_end::stopping);
      settle();
      REQUIRE(out.link->last() == says::kGoodbye);
      return out;
    }
    }
    FAIL("no such state");
    return {};
  }

  /// Everything by which a message could have had an effect.
  std::vector<std::size_t> effects() {
    return {hellos.size(),    enrolments.size(), outcomes.size(), wishes.size(),
            published.size(), adopted.size(),    db.writes()};
  }
};

/// Written down here once more, so that a line too many in rules/dispatch.cpp is noticed.
bool allowed(peer_state state, const std::string& message) {
  switch (state) {
  case peer_state::anonymous:
    return message == "enrol_request";
  case peer_state::proved:
    return message == "hello";
  case peer_state::active:
    return message == "sync_request" || message == "events_open" || message == "events" ||
           message == "pong" || message == "wake_test" || message == "documents_request";
    // and section_chunk, during a sync
  default:
    return false;
  }
}

} // namespace

TEST_CASE("an agent may say in each state what the table names, and nothing else") {
  for (std::size_t state = 0; state < rules::peer_states; ++state) {
    for (const auto& [message, bytes] : every_message()) {
      CAPTURE(state);
      CAPTURE(message);
      const auto wanted = static_cast<peer_state>(state);
      state_world world;
      auto at = world.in(wanted);
      const auto before = world.effects();
      const auto said_before = at.link->sent.size();
      at.link->deliver(bytes);
      world.settle();
      if (allowed(wanted, message)) {
        CHECK(at.link->count(says::kRefused) == 0);
        continue;
      }
      CHECK(world.effects() == before);
      if (wanted == peer_state::ending) {
        CHECK(at.link->sent.size() == said_before);
      } else if (wanted == peer_state::active && message == "section_chunk") {
        world.check_refused(at, wire::refusal_protocol,
                            "section_chunk is not allowed while no sync is in progress");
      } else {
        world.check_refused(at, wire::refusal_protocol,
                            message + " is not allowed in state " +
                              std::string{rules::name_of(wanted)});
      }
    }
  }
}

TEST_CASE_FIXTURE(state_world, "bytes that are no message are refused in every state") {
  for (const auto state : {peer_state::anonymous, peer_state::enrolling, peer_state::proved,
                           peer_state::admitting, peer_state::active}) {
    silent = false;
    auto at = in(state);
    at.link->deliver("\xff\xff no protobuf");
    settle();
    check_refused(at, wire::refusal_protocol, "what was sent is no message of this protocol");
  }
}

// -- enrolment ------------------------------------------------------------------------------------

TEST_CASE_FIXTURE(session_world,
                  "an anonymous peer gets its certificate, and the connection ends") {
  auto at = connect(false);
  CHECK(at.link->credit == 1);
  CHECK_FALSE(at.link->trusted);
  say(at, enrol_request());
  REQUIRE(enrolments.size() == 1);
  CHECK(enrolments[0]->token == "secret");
  CHECK(enrolments[0]->address == "192.0.2.7");
  REQUIRE(at.link->last() == says::kEnrolReply);
  CHECK(at.link->sent.back().enrol_reply().device_id() == mill.raw());
  CHECK(at.link->sent.back().enrol_reply().server_id() == services->gifts.server_id);
  CHECK(at.link->closed);
  CHECK_FALSE(alive(at.session));
}

TEST_CASE_FIXTURE(session_world, "a refused enrolment says why") {
  enrolled.reason = refusal::token;
  enrolled.text = "this token has expired";
  auto at = connect(false);
  say(at, enrol_request());
  check_refused(at, wire::refusal_token, "this token has expired");
}

TEST_CASE_FIXTURE(session_world,
                  "an enrolment without a fingerprint is refused before anybody works") {
  auto request = enrol_request();
  request.mutable_enrol_request()->clear_fingerprint();
  auto at = connect(false);
  say(at, request);
  check_refused(at, wire::refusal_enrolment, "the machine fingerprint must have 16 bytes");
  CHECK(enrolments.empty());
}

TEST_CASE_FIXTURE(session_world, "who cannot enrol somebody right now says busy") {
  caf::anon_send_exit(services->enroller, caf::exit_reason::kill);
  auto at = connect(false);
  say(at, enrol_request());
  check_busy(at);
}

TEST_CASE_FIXTURE(session_world, "nobody enrols where anybody listens") {
  encrypted = false;
  for (const bool proved : {false, true}) {
    auto at = connect(proved);
    say(at, enrol_request());
    check_refused(at, wire::refusal_protocol,
                  proved ? "enrol_request is not allowed in state proved"
                         : "enrol_request is not allowed without encryption; use the server's TLS port");
  }
  CHECK(enrolments.empty());
}

TEST_CASE_FIXTURE(session_world, "a peer that nobody knows is refused whatever it says on a plain link") {
  encrypted = false;
  for (const auto& [message, bytes] : every_message()) {
    CAPTURE(message);
    auto at = connect(false);
    at.link->deliver(bytes);
    settle();
    REQUIRE(at.link->last() == says::kRefused);
    CHECK(at.link->closed);
  }
  CHECK(hellos.empty());
  CHECK(enrolments.empty());
}

TEST_CASE_FIXTURE(session_world, "a device is served on a plain link as on any other") {
  encrypted = false;
  auto at = connect();
  say(at, hello());
  REQUIRE(at.link->last() == says::kWelcome);
  CHECK(hellos.size() == 1);
}

// -- hello ----------------------------------------------------------------------------------------

TEST_CASE_FIXTURE(session_world, "an idle sync is one small message each way") {
  const auto known = facts("mill");
  decision.known[0] = known.digest;
  auto at = connect();
  say(at, hello({known.digest}));
  REQUIRE(at.link->sent.size() == 1);
  CHECK(at.link->last() == says::kWelcome);
  CHECK(at.link->sent[0].welcome().plan().wanted_size() == 0);
  CHECK(at.link->sent[0].welcome().sync_period_s() == 900);
  CHECK(at.link->sent[0].ByteSizeLong() < 64);
  CHECK(at.link->trusted);
  CHECK(at.link->credit == session_limits::frames_in_flight);
  CHECK(adopted.empty());
  REQUIRE(outcomes.size() == 1);
  CHECK(outcomes[0]->device == mill);
  CHECK(outcomes[0]->statistics->uptime_s == 42);
  REQUIRE(hellos.size() == 1);
  CHECK(hellos[0]->certificate_sha256[0] == 9);
  CHECK(hellos[0]->address == "192.0.2.7");
  CHECK(hellos[0]->session == at.session);
}

TEST_CASE_FIXTURE(session_world, "an idle kept session has no timer and no child") {
  auto at = welcome();
  CHECK_FALSE(sched.has_pending_timeout());
  CHECK(adopted.empty());
  CHECK(alive(at.session));
}

TEST_CASE_FIXTURE(session_world, "the directory's refusal reaches the agent in its words") {
  decision.reason = refusal::identity_in_use;
  decision.text = "identity in use elsewhere";
  auto at = connect();
  say(at, hello());
  check_refused(at, wire::refusal_identity_in_use, "identity in use elsewhere");
  CHECK_FALSE(at.link->trusted);
}

TEST_CASE_FIXTURE(session_world, "a hello with a bad id or a digest twice is refused unjudged") {
  auto short_id = hello();
  short_id.mutable_hello()->set_device_id("seven");
  auto first = connect();
  say(first, short_id);
  check_refused(first, wire::refusal_protocol,
                "device id, boot id and fingerprint of a hello must have 16 bytes each");
  auto twice = hello({facts("mill").digest});
  *twice.mutable_hello()->add_digests() = twice.hello().digests(0);
  auto second = connect();
  say(second, twice);
  check_refused(second, wire::refusal_protocol, "a section's digest comes twice");
  CHECK(hellos.empty());
}

TEST_CASE_FIXTURE(session_world, "a device that went back is told so and asked for everything") {
  const auto known = facts("mill");
  decision.known[0] = known.digest;
  decision.went_back = true;
  auto at = connect();
  say(at, hello({known.digest}));
  REQUIRE(at.link->last() == says::kWelcome);
  CHECK(at.link->sent[0].welcome().went_back());
  CHECK(at.link->sent[0].welcome().plan().wanted_size() == 1);
}

TEST_CASE_FIXTURE(session_world, "a directory that is gone sends agents away, not off") {
  caf::anon_send_exit(services->directories[0], caf::exit_reason::kill);
  auto at = connect();
  say(at, hello());
  check_busy(at);
}

TEST_CASE_FIXTURE(session_world,
                  "a connection that ends during admission gets no welcome, and has left") {
  silent = true;
  auto at = connect();
  say(at, hello());
  at.link->end();
  settle();
  CHECK_FALSE(alive(at.session));
  CHECK(left == std::vector{mill});
  CHECK(at.link->sent.empty());
}

TEST_CASE_FIXTURE(session_world, "the directory hears of a talking agent, but not of every frame") {
  auto at = welcome();
  wire::agent_message pong;
  pong.mutable_pong();
  for (int i = 0; i < 25; ++i) {
    say(at, pong);
    pass(1s);
  }
  CHECK(contacts.size() == 2);
  CHECK(at.link->credit == session_limits::frames_in_flight);
}
