// How sessions end, and how they answer whether their agent is alive.
#include "storage/errc.hpp"
#include "tests/actors/session_world.hpp"

#include <caf/exit_reason.hpp>

using namespace muster;
using namespace muster::test;
using namespace std::chrono_literals;

// -- ends -----------------------------------------------------------------------------------------

TEST_CASE_FIXTURE(session_world, "each way of ending a session is told to the agent, and closes") {
  struct expectation {
    session_end why;
    says word;
    wire::refusal reason;
  };
  for (const auto& one :
       {expectation{session_end::revoked, says::kRefused, wire::refusal_revoked},
        expectation{session_end::removed, says::kRefused, wire::refusal_unknown_device},
        expectation{session_end::replaced, says::kGoodbye, {}},
        expectation{session_end::stopping, says::kGoodbye, {}}}) {
    left.clear();
    auto at = welcome();
    self->send(at.session, atom::ending_v, one.why);
    settle();
    REQUIRE(at.link->last() == one.word);
    if (one.word == says::kRefused)
      CHECK(at.link->sent.back().refused().reason() == one.reason);
    else
      CHECK(at.link->sent.back().goodbye().return_after_ms() == services->return_after_ms());
    CHECK(at.link->closed);
    CHECK_FALSE(alive(at.session));
    CHECK(left == std::vector{mill});
  }
}

TEST_CASE_FIXTURE(session_world,
                  "a stop says goodbye with a time to come back, and waits for the wire") {
  auto at = welcome();
  at.link->lingers = true;
  stop(at.session);
  CHECK(at.link->last() == says::kGoodbye);
  CHECK(at.link->closed);
  CHECK(left == std::vector{mill}); // whoever connects now finds the place free
  CHECK(alive(at.session));
  stop(at.session);
  CHECK(at.link->sent.size() == 2);
  at.link->end();
  settle();
  CHECK_FALSE(alive(at.session));
}

TEST_CASE_FIXTURE(session_world,
                  "a stop reaches anonymous peers and those who wait for admission") {
  silent = true;
  auto anonymous = connect(false);
  auto waiting = connect();
  say(waiting, hello());
  stop(anonymous.session);
  stop(waiting.session);
  CHECK(anonymous.link->last() == says::kGoodbye);
  CHECK(waiting.link->last() == says::kGoodbye);
  CHECK_FALSE(alive(anonymous.session));
  CHECK_FALSE(alive(waiting.session));
}

TEST_CASE_FIXTURE(session_world, "a session that is killed, or dies in a handler, has left too") {
  auto killed = welcome();
  caf::anon_send_exit(killed.session, caf::exit_reason::kill);
  settle();
  CHECK(left.size() == 1);
  auto broken = welcome();
  broken.link->throws = true;
  wire::agent_message pong;
  pong.mutable_pong();
  say(broken, pong);
  CHECK_FALSE(alive(broken.session));
  CHECK(left.size() == 2);
}

TEST_CASE_FIXTURE(session_world,
                  "the end of the link ends the session and tells the directory once") {
  auto at = welcome();
  at.link->end();
  settle();
  CHECK_FALSE(alive(at.session));
  CHECK(left == std::vector{mill});
}

TEST_CASE_FIXTURE(session_world, "an agent that takes no more messages is let go") {
  auto at = connect();
  at.link->full = true;
  say(at, hello());
  CHECK(at.link->closed);
  CHECK_FALSE(alive(at.session));
}

// -- probes ---------------------------------------------------------------------------------------

TEST_CASE_FIXTURE(session_world, "a probe is answered true as soon as the agent says anything") {
  auto at = welcome();
  auto pending = begin_ask(at.session, atom::probe_v);
  settle();
  CHECK(at.link->last() == says::kPing);
  CHECK_FALSE(self->has_next_message());
  at.link->deliver(sync_request().SerializeAsString());
  settle();
  CHECK(take<bool>(pending) == true);
  CHECK(alive(at.session));
}

TEST_CASE_FIXTURE(session_world, "five seconds of silence answer a probe false, and end nothing") {
  auto at = welcome();
  auto first = begin_ask(at.session, atom::probe_v);
  settle();
  pass(4s);
  CHECK_FALSE(self->has_next_message());
  pass(1s);
  CHECK(take<bool>(first) == false);
  CHECK(alive(at.session));
  // The tick of an answered probe does not cut the next one short.
  auto second = begin_ask(at.session, atom::probe_v);
  settle();
  wire::agent_message pong;
  pong.mutable_pong();
  say(at, pong);
  CHECK(take<bool>(second) == true);
  auto third = begin_ask(at.session, atom::probe_v);
  settle();
  pass(4s);
  CHECK_FALSE(self->has_next_message());
  pass(1s);
  CHECK(take<bool>(third) == false);
}

TEST_CASE_FIXTURE(session_world, "two who ask at once share one ping") {
  auto at = welcome();
  auto first = begin_ask(at.session, atom::probe_v);
  auto second = begin_ask(at.session, atom::probe_v);
  settle();
  CHECK(at.link->count(says::kPing) == 1);
  wire::agent_message pong;
  pong.mutable_pong();
  say(at, pong);
  CHECK(take<bool>(first) == true);
  CHECK(take<bool>(second) == true);
}

TEST_CASE_FIXTURE(session_world, "a probe of a session that ends is answered false at once") {
  auto at = welcome();
  auto pending = begin_ask(at.session, atom::probe_v);
  settle();
  at.link->end();
  settle();
  CHECK(take<bool>(pending) == false);
  auto killed = welcome();
  auto other = begin_ask(killed.session, atom::probe_v);
  settle();
  caf::anon_send_exit(killed.session, caf::exit_reason::kill);
  settle();
  CHECK(take<bool>(other) == false);
}
