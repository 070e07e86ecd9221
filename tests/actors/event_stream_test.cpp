// Events through their session: position, order, acknowledgement, and what may go wrong.
#include "storage/errc.hpp"
#include "tests/actors/session_world.hpp"

#include <caf/exit_reason.hpp>

using namespace muster;
using namespace muster::test;
using namespace std::chrono_literals;

using numbers = stream_world::numbers;
constexpr auto epoch = stream_world::epoch;

TEST_CASE_FIXTURE(stream_world,
                  "a stream opens with the position, and acknowledges what it stored") {
  auto at = begin();
  CHECK(position(at) == event_position{});
  say(at, events({}, epoch, 1, 3));
  say(at, events({epoch, 3}, epoch, 4, 4));
  CHECK(acked(at) == numbers{3, 4});
  CHECK(stored_sequences() == numbers{1, 2, 3, 4});
  CHECK(at.link->credit == session_limits::frames_in_flight);
  REQUIRE(published.size() == 2);
  CHECK(published[0]->batch->device == mill);
  CHECK(published[0]->batch->device_name == "mill");
  CHECK(published[0]->batch->events.size() == 3);
  CHECK(published[0]->received_us >= now_us);
}

TEST_CASE_FIXTURE(stream_world,
                  "a hello with events waiting is answered with welcome and position") {
  auto at = connect();
  say(at, hello({}, true));
  REQUIRE(at.link->sent.size() == 2);
  CHECK(at.link->sent[0].has_welcome());
  CHECK(at.link->sent[1].has_events_position());
  CHECK(at.link->credit == session_limits::frames_in_flight);
}

TEST_CASE_FIXTURE(stream_world,
                  "the welcome comes before the position even when the sync is long") {
  auto at = connect();
  say(at, hello({facts("mill").digest}, true));
  REQUIRE(at.link->sent.size() == 2);
  CHECK(at.link->sent[0].has_welcome());
  CHECK(at.link->sent[1].has_events_position());
  say(at, events({}, epoch, 1, 1));
  CHECK(acked(at) == numbers{1}); // in the middle of the sync
}

TEST_CASE_FIXTURE(stream_world, "nothing is acknowledged before it is on the disk") {
  auto at = begin();
  std::size_t acks_at_sync = 99;
  std::size_t published_at_sync = 99;
  db.on_sync([&] {
    acks_at_sync = acked(at).size();
    published_at_sync = published.size();
  });
  say(at, events({}, epoch, 1, 2));
  CHECK(acks_at_sync == 0);
  CHECK(published_at_sync == 0);
  CHECK(acked(at) == numbers{2});
  const auto survivors = db.after_power_loss();
  CHECK(survivors->keys(storage::family::events) == db.keys(storage::family::events));
}

TEST_CASE_FIXTURE(stream_world,
                  "batches are appended without waiting for each other, in their order") {
  auto at = begin();
  slow = true;
  deliver(at, events({}, epoch, 1, 2));
  deliver(at, events({epoch, 2}, epoch, 3, 4));
  deliver(at, events({epoch, 4}, epoch, 5, 6));
  settle();
  CHECK(acked(at).empty());
  CHECK(at.link->credit == session_limits::frames_in_flight - 3); // the agent must wait
  hurry();
  CHECK(acked(at) == numbers{2, 4, 6});
  CHECK(stored_sequences() == numbers{1, 2, 3, 4, 5, 6});
  CHECK(db.syncs() == 1); // one commit for all
  CHECK(at.link->credit == session_limits::frames_in_flight);
}

TEST_CASE_FIXTURE(stream_world,
                  "a reconnect while the old stream's commit is slow stores nothing twice") {
  auto old = begin();
  slow = true;
  deliver(old, events({}, epoch, 1, 3));
  settle();
  old.link->end(); // the agent never gets its acknowledgement
  settle();
  SUBCASE("the agent waits to be told its position, which is the one on the disk") {
    auto again = welcome();
    deliver(again, open());
    settle();
    CHECK(again.link->last() == says::kWelcome);
    hurry();
    CHECK(position(again) == event_position{}); // the commit was not yet through
    say(again, events({}, epoch, 1, 3));
    CHECK(position(again) == event_position{epoch, 3});
    say(again, events({epoch, 3}, epoch, 4, 5));
    CHECK(acked(again) == numbers{5});
  }
  SUBCASE("the agent has sent everything again before the commit is through") {
    auto again = welcome();
    deliver(again, open());
    deliver(again, events({}, epoch, 1, 3));
    deliver(again, events({epoch, 3}, epoch, 4, 5));
    settle();
    hurry();
    // The first batch found the position moved, the second fitted it by itself; both were answered
    // by one commit, and told is what it made of the position.
    CHECK(acked(again) == numbers{5});
    CHECK(again.link->count(says::kEventsPosition) == 2);
    const auto& told = again.link->sent[2].events_position();
    CHECK(event_position{told.epoch(), told.sequence()} == event_position{epoch, 5});
    // A third copy was on its way by then: void.
    say(again, events({epoch, 3}, epoch, 4, 5));
    CHECK(again.link->count(says::kEventsPosition) == 2);
    say(again, events({epoch, 5}, epoch, 6, 6));
    CHECK(acked(again) == numbers{5, 6});
    say(again, events({}, epoch, 1, 5)); // and one of the very first
    CHECK(position(again) == event_position{epoch, 6});
  }
  auto kept = stored_sequences();
  kept.resize(5);
  CHECK(kept == numbers{1, 2, 3, 4, 5});
}

TEST_CASE_FIXTURE(stream_world,
                  "a position that moved is told once; what was on its way is dropped") {
  auto at = begin();
  auto other = begin();
  say(other, events({}, epoch, 1, 2));
  // Four batches that know nothing of that.
  deliver(at, events({}, epoch, 1, 1));
  deliver(at, events({epoch, 1}, epoch, 2, 2));
  deliver(at, events({epoch, 7}, epoch, 8, 8));
  deliver(at, events({epoch, 8}, epoch, 9, 9));
  settle();
  CHECK(at.link->count(says::kEventsPosition) == 2);
  CHECK(position(at) == event_position{epoch, 2});
  CHECK(acked(at).empty());
  CHECK(at.link->credit == session_limits::frames_in_flight);
  // A leftover that still comes later.
  say(at, events({epoch, 9}, epoch, 10, 10));
  CHECK(at.link->count(says::kEventsPosition) == 2);
  say(at, events({epoch, 2}, epoch, 3, 4));
  CHECK(acked(at) == numbers{4});
  CHECK(stored_sequences() == numbers{1, 2, 3, 4});
  // And moved once more, it is told once more.
  say(other, events({epoch, 4}, epoch, 5, 5));
  say(at, events({epoch, 4}, epoch, 5, 5));
  CHECK(at.link->count(says::kEventsPosition) == 3);
  CHECK(position(at) == event_position{epoch, 5});
}

TEST_CASE_FIXTURE(stream_world, "an epoch change is a position like any other") {
  auto at = begin();
  say(at, events({}, epoch, 1, 2));
  say(at, events({epoch, 2}, 6, 1, 1));
  CHECK(acked(at) == numbers{2, 1});
  CHECK(stored_sequences() == numbers{1, 2, 1});
}
