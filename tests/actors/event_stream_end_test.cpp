// How event streams end, and what may go wrong.
#include "storage/errc.hpp"
#include "tests/actors/session_world.hpp"

#include <caf/exit_reason.hpp>

using namespace muster;
using namespace muster::test;
using namespace std::chrono_literals;

using numbers = stream_world::numbers;
constexpr auto epoch = stream_world::epoch;

// -- the end of a stream --------------------------------------------------------------------------

TEST_CASE_FIXTURE(stream_world,
                  "a stream with nothing in flight for ten seconds ends; the session stays") {
  auto at = begin();
  pass(5s);
  say(at, events({}, epoch, 1, 1));
  CHECK(children_alive() == 1);
  pass(5s);
  CHECK(children_alive() == 1);
  pass(5s);
  CHECK(children_alive() == 0);
  CHECK(alive(at.session));
  pass(10s);
  CHECK_FALSE(sched.has_pending_timeout());
  say(at, events({epoch, 1}, epoch, 2, 2));
  CHECK(adopted.size() == 2);
  CHECK(acked(at) == numbers{1, 2});
}

TEST_CASE("events that arrive while their stream is about to end are not lost") {
  // The batch arrives after every possible number of steps behind the stream's last tick.
  for (std::size_t steps = 0; steps < 8; ++steps) {
    CAPTURE(steps);
    stream_world test;
    auto at = test.begin();
    test.sched.advance_time(10s);
    for (std::size_t i = 0; i < steps; ++i)
      test.sched.try_run_once();
    test.deliver(at, session_world::events({}, epoch, 1, 1));
    test.settle();
    CHECK(stream_world::acked(at) == numbers{1});
    CHECK(at.link->credit == session_limits::frames_in_flight);
    CHECK(test.children_alive() == 1);
    test.pass(25s);
    CHECK(test.children_alive() == 0);
  }
}

TEST_CASE_FIXTURE(stream_world, "a stream that waits for a slow disk does not end") {
  auto at = begin();
  slow = true;
  deliver(at, events({}, epoch, 1, 1));
  settle();
  pass(60s);
  CHECK(children_alive() == 1);
  hurry();
  CHECK(acked(at) == numbers{1});
}

TEST_CASE_FIXTURE(stream_world, "a full disk acknowledges nothing and sends the agent away") {
  auto at = begin();
  db.fail_writes(storage::errc::disk_full);
  deliver(at, events({}, epoch, 1, 2));
  deliver(at, events({epoch, 2}, epoch, 3, 4));
  settle();
  check_busy(at);
  CHECK(acked(at).empty());
  CHECK(published.empty());
  db.fail_writes({});
  auto again = begin();
  CHECK(position(again) == event_position{});
  say(again, events({}, epoch, 1, 4));
  CHECK(acked(again) == numbers{4});
  CHECK(stored_sequences() == numbers{1, 2, 3, 4});
}

TEST_CASE_FIXTURE(stream_world, "one failed write sends away exactly those who shared it") {
  auto at = begin();
  auto bystander = welcome();
  db.fail_next_writes(1, storage::errc::io_error);
  say(at, events({}, epoch, 1, 1));
  check_busy(at);
  CHECK(alive(bystander.session));
}

TEST_CASE_FIXTURE(stream_world, "a failed fsync acknowledges nothing") {
  auto at = begin();
  db.fail_writes(storage::errc::sync_failed);
  say(at, events({}, epoch, 1, 1));
  check_busy(at);
  CHECK(acked(at).empty());
}

TEST_CASE_FIXTURE(stream_world, "a position that cannot be read sends the agent away") {
  db.fail_reads(storage::errc::io_error);
  auto at = welcome();
  say(at, open());
  check_busy(at);
}

TEST_CASE(
  "events that break a bound are refused with a sentence, and nothing of their batch is kept") {
  const auto broken = [](auto change) {
    auto out = session_world::events({}, epoch, 1, 3);
    change(*out.mutable_events());
    return out;
  };
  struct expectation {
    wire::agent_message message;
    std::string text;
  };
  const std::vector<expectation> table = {
    {broken([](auto& e) { e.clear_items(); }), "a batch must have 1 to 1000 events"},
    {session_world::events({}, epoch, 1, 1001), "a batch must have 1 to 1000 events"},
    {broken([](auto& e) { e.mutable_items(1)->set_sequence(1); }),
     "the events of a batch must come in order"},
    {broken([](auto& e) { e.mutable_items(2)->clear_severity(); }),
     "an event has no known severity"},
    {broken([](auto& e) { e.mutable_items(2)->set_text(std::string(2049, 't')); }),
     "an event's text is longer than 2 KB"},
    {broken([](auto& e) { e.mutable_items(2)->clear_type(); }),
     "an event's type must have 1 to 128 bytes"},
  };
  for (const auto& one : table) {
    CAPTURE(one.text);
    stream_world test;
    auto at = test.begin();
    test.say(at, one.message);
    test.check_refused(at, wire::refusal_protocol, one.text);
    CHECK(test.stored_sequences().empty());
  }
}

TEST_CASE_FIXTURE(stream_world, "a stream that dies in any handler ends only its own connection") {
  auto bystander = welcome();
  auto at = begin();
  SUBCASE("killed") {
    caf::anon_send_exit(adopted[0], caf::exit_reason::kill);
    settle();
    check_busy(at);
  }
  SUBCASE("taking a batch") {
    clock_breaks = true;
    say(at, events({}, epoch, 1, 1));
    check_busy(at);
  }
  SUBCASE("acknowledging") {
    slow = true;
    deliver(at, events({}, epoch, 1, 1));
    settle();
    at.link->throws = true;
    slow = false;
    self->send(services->writer, atom::tick_v);
    // The stream dies of the link; by then the session can use it again.
    while (children_alive() == 1 && sched.try_run_once()) {
    }
    at.link->throws = false;
    settle();
  }
  SUBCASE("telling the position") {
    slow = true;
    deliver(at, open());
    settle();
    at.link->throws = true;
    slow = false;
    self->send(services->writer, atom::tick_v);
    settle(); // the session dies of it as well
    CHECK_FALSE(alive(at.session));
  }
  clock_breaks = false;
  CHECK(children_alive() == 0);
  CHECK(alive(bystander.session));
  CHECK_FALSE(bystander.link->closed);
}

TEST_CASE_FIXTURE(stream_world, "a stream ends with its session, however that ends") {
  auto at = begin();
  SUBCASE("the link ends") {
    at.link->end();
  }
  SUBCASE("killed") {
    caf::anon_send_exit(at.session, caf::exit_reason::kill);
  }
  SUBCASE("a stop, with a commit in progress") {
    slow = true;
    deliver(at, events({}, epoch, 1, 1));
    settle();
    stop(at.session);
    CHECK(at.link->last() == says::kGoodbye);
    hurry();
    CHECK(acked(at).empty());
    CHECK(stored_sequences() == numbers{1});
  }
  settle();
  CHECK(children_alive() == 0);
}

TEST_CASE_FIXTURE(stream_world,
                  "an agent that asks for its position again and again gets it, credit by credit") {
  auto at = begin();
  for (int i = 0; i < 50; ++i)
    say(at, open());
  CHECK(at.link->count(says::kEventsPosition) == 51);
  CHECK(at.link->credit == session_limits::frames_in_flight);
  slow = true;
  for (std::size_t i = 0; i < session_limits::frames_in_flight; ++i)
    deliver(at, open());
  settle();
  CHECK(at.link->credit == 0); // no more of it until those are answered
  hurry();
  CHECK(at.link->credit == session_limits::frames_in_flight);
}
