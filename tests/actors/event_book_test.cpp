// What the server says is stored like any event; whoever watches is told.

#include "tests/actors/book_world.hpp"

using namespace muster;
using namespace muster::test;

namespace {

struct played_tail {
  std::vector<stored_events_ptr> seen;
};

event_tail_actor::behavior_type play_tail(event_tail_actor::pointer,
                                          std::shared_ptr<played_tail> role) {
  return {
    [role](atom::publish, const stored_events_ptr& events) { role->seen.push_back(events); },
    [](atom::closed) {},
    [](atom::tick) {},
    [](atom::status) { return std::string{"played"}; },
  };
}

} // namespace

// -- the server's own words
// -------------------------------------------------------------------------

TEST_CASE_FIXTURE(book_world, "what the server says is stored in order, under whom it speaks of") {
  played_agent agent = enrolled();
  raise({}, "server.started");
  raise(agent.device, "device.went_back", "mill", severity::warning);
  raise(agent.device, "device.other", "mill");
  raise({}, "server.second");
  settle();
  CHECK(types() == std::vector<std::string>{"device.enrolled", "server.started", "device.other",
                                            "device.went_back", "server.second"});
  CHECK(events_of(agent.device, "device.went_back") == 1);
  CHECK(events_of({}, "server.second") == 1);
  // The device's own numbers are untouched.
  CHECK(ask<event_position>(writer, atom::position_v, agent.device) == event_position{});
  CHECK(ask<event_position>(writer, atom::position_v, device_id{}).sequence == 5);
  store(agent.device, severity::info);
  std::size_t named = 0;
  REQUIRE_FALSE(db->scan(family::events, {}, false, [&](auto, auto value) {
    storage::record::event_block block;
    REQUIRE_FALSE(storage::records::decode(value, block));
    const bool own = *device_id::from_bytes(block.device()) == device_id{};
    if (block.device_name() == (own ? "server" : "mill"))
      ++named;
    return true;
  }));
  CHECK(named == 5); // all but the last, which the test did not name
}

TEST_CASE_FIXTURE(book_world,
                  "the server's numbers go on behind a restart, in an epoch of their own") {
  raise({}, "server.first");
  settle();
  const auto before = ask<event_position>(writer, atom::position_v, device_id{});
  lose_power();
  raise({}, "server.second");
  settle();
  const auto after = ask<event_position>(writer, atom::position_v, device_id{});
  CHECK(before.sequence == 1);
  CHECK(after.sequence == 1);
  CHECK(before.epoch != after.epoch);
  CHECK(types() == std::vector<std::string>{"server.first", "server.second"});
}

TEST_CASE_FIXTURE(book_world,
                  "while the store refuses, raised events wait; beyond the bound they are "
                  "counted and told") {
  db->fail_writes(storage::errc::disk_full);
  for (std::size_t i = 0; i < fleet_limits::raised_max + 7; ++i)
    raise({}, "server.e" + std::to_string(i));
  settle();
  CHECK(events().empty());
  pass_time(1min);
  CHECK(events().empty());
  CHECK(metric("raised_waiting") == std::to_string(fleet_limits::raised_max + 1)); // and why
  db->fail_writes({});
  pass_time(6s);
  const auto said = types();
  REQUIRE(said.size() == fleet_limits::raised_max + 3); // the line is never too long for these
  for (std::size_t i = 0; i < 1000; i += 100)
    CHECK(std::count(said.begin(), said.end(), "server.e" + std::to_string(i)) == 1);
  CHECK(std::count(said.begin(), said.end(), "server.events_dropped") == 1);
  CHECK(std::count(said.begin(), said.end(), "server.disk_full") == 1);
  CHECK(std::count(said.begin(), said.end(), "server.disk_recovered") == 1);
  CHECK(metric("raised_dropped_total") == "7");
  CHECK(metric("raised_waiting") == "0");
}

TEST_CASE_FIXTURE(book_world, "that the disk is full is an event, stored as soon as there is room, "
                              "and so is its end") {
  const auto write = [&] {
    const storage::change_batch one{storage::put(family::meta, "x", "")};
    return try_ask<caf::ok_atom>(writer, atom::put_v,
                                 std::make_shared<const storage::change_batch>(one),
                                 durability::fact);
  };
  const auto began_ms = now_us / 1000;
  db->fail_writes(storage::errc::disk_full);
  CHECK_FALSE(write()); // whoever finds it
  settle();
  pass_time(62s);
  CHECK(events().empty());
  db->fail_writes({});
  pass_time(6s); // nobody else writes: the event itself finds that there is room
  const auto told = events();
  REQUIRE(told.size() == 2);
  CHECK(told[0].type == "server.disk_full");
  CHECK(told[0].device == device_id{});
  CHECK(told[0].time_ms == began_ms);
  CHECK(told[0].text.find("the disk is full") != std::string::npos);
  CHECK(told[1].type == "server.disk_recovered");
  CHECK(told[1].text == "the server's store can be written again after 68 s");
  CHECK(days() == std::map<int, std::size_t>{{1, 1}, {4, 1}}); // a failure

  SUBCASE("a disk that is full again and again is told once in a while") {
    for (int i = 0; i < 20; ++i) {
      db->fail_next_writes(1, storage::errc::disk_full);
      CHECK_FALSE(write());
      CHECK(write());
      pass_time(10s);
    }
    CHECK(events().size() == 2);
    pass_time(10min);
    db->fail_next_writes(1, storage::errc::disk_full);
    CHECK_FALSE(write());
    pass_time(6s);
    CHECK(events_of({}, "server.disk_full") == 2);
    CHECK(events_of({}, "server.disk_recovered") == 2);
  }
  SUBCASE("other trouble is not a full disk") {
    pass_time(10min);
    db->fail_next_writes(1, storage::errc::io_error);
    CHECK_FALSE(write());
    pass_time(6s);
    CHECK(events_of({}, "server.disk_failed") == 1);
    CHECK(events_of({}, "server.disk_recovered") == 2);
    CHECK(events_of({}, "server.disk_full") == 1);
  }
}

TEST_CASE_FIXTURE(book_world, "a severity that is none does not stop the others") {
  raise({}, "server.strange", "", static_cast<severity>(9));
  raise({}, "server.fine");
  settle();
  CHECK(types().size() == 2);
}

// -- tails
// ------------------------------------------------------------------------------------------

TEST_CASE_FIXTURE(book_world, "who subscribed is told of every stored event, until it ends") {
  const auto one = std::make_shared<played_tail>();
  const auto two = std::make_shared<played_tail>();
  const auto first = host(play_tail, one);
  const auto second = host(play_tail, two);
  self->send(book, atom::subscribe_v, first);
  self->send(book, atom::subscribe_v, second);
  self->send(book, atom::subscribe_v, second); // once is enough
  settle();
  CHECK(metric("tails") == "2");
  raise({}, "server.said");
  settle();
  REQUIRE(one->seen.size() == 1);
  CHECK(one->seen.front()->batch->events.front().type == "server.said");
  CHECK(one->seen.front()->received_us == now_us);
  CHECK(two->seen.size() == 1);

  auto batch = std::make_shared<event_append>();
  batch->events.resize(3);
  auto from_stream = std::make_shared<const stored_events>(stored_events{batch, 5});
  self->send(book, atom::publish_v, stored_events_ptr{from_stream});
  settle();
  CHECK(one->seen.size() == 2);
  CHECK(one->seen.back() == from_stream);

  kill(first);
  settle();
  CHECK(metric("tails") == "1");
  self->send(book, atom::publish_v, stored_events_ptr{from_stream});
  settle();
  CHECK(one->seen.size() == 2);
  CHECK(two->seen.size() == 3);
  CHECK(metric("published_total{severity=\"info\"}") == "7");
}
