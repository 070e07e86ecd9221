// What the server says is stored like any event; whoever watches is told; whole days are forgotten
// while new events come in.

#include "tests/actors/fleet_world.hpp"

#include <map>
#include <set>

using namespace muster;
using namespace muster::test;

namespace {

constexpr std::int64_t day_us = storage::keys::bucket_us;

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

struct book_world : fleet_world {
  void raise(const device_id& about, const std::string& type, const std::string& name = "",
             severity how = severity::info) {
    auto event = std::make_shared<raised_event>();
    event->severity = how;
    event->type = type;
    event->text = type + " happened";
    event->device_name = name;
    self->send(book, atom::raise_v, about, raised_event_ptr{event});
  }

  std::vector<std::string> types() {
    std::vector<std::string> out;
    for (const auto& one : events())
      out.push_back(one.type);
    return out;
  }

  /// As an agent's stream would.
  void store(const device_id& device, severity how, std::size_t text_bytes = 10) {
    auto out = std::make_shared<event_append>();
    out->device = device;
    out->after = ask<event_position>(writer, atom::position_v, device);
    out->epoch = 9;
    event_item item;
    item.sequence = out->after.sequence + 1;
    item.severity = how;
    item.type = "test.event";
    item.text = std::string(text_bytes, 'x');
    out->events.push_back(item);
    REQUIRE(ask<append_result>(writer, atom::append_v, event_append_ptr{out}).stored);
  }

  /// How many days there are of each severity; and whether index and blocks agree.
  std::map<int, std::size_t> days() {
    std::map<int, std::set<std::uint32_t>> blocks;
    std::map<int, std::set<std::uint32_t>> entries;
    REQUIRE_FALSE(db->scan(family::events, {}, false, [&](auto key, auto) {
      const auto parsed = storage::keys::parse_event(key);
      blocks[parsed->severity].insert(parsed->bucket);
      return true;
    }));
    REQUIRE_FALSE(db->scan(family::index, {}, false, [&](auto key, auto) {
      if (const auto parsed = storage::keys::parse_device_event(key))
        entries[parsed->severity].insert(parsed->bucket);
      return true;
    }));
    CHECK(blocks == entries);
    std::map<int, std::size_t> out;
    for (const auto& [how, set] : blocks)
      out[how] = set.size();
    return out;
  }

  std::string metric(const std::string& name) {
    const auto text = *ask<metrics_text>(book, atom::metrics_v);
    const auto at = text.find("\nmuster_events_" + name + " ");
    REQUIRE(at != std::string::npos);
    const auto begin = text.find(' ', at) + 1;
    return text.substr(begin, text.find('\n', begin) - begin);
  }
};

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

// -- retention
// --------------------------------------------------------------------------------------

TEST_CASE_FIXTURE(book_world, "whole days are forgotten by severity, while inserts go on") {
  const auto device = played_agent::random_id<device_id>();
  for (int i = 0; i < 200; ++i) {
    for (const auto how :
         {severity::info, severity::warning, severity::critical, severity::failure})
      store(device, how);
    now_us += day_us;
  }
  CHECK(days() == std::map<int, std::size_t>{{1, 200}, {2, 200}, {3, 200}, {4, 200}});
  const auto before = events().size();
  // Inserts before, amid and after what the tick does.
  sched.advance_time(1h);
  now_us += 3'600'000'000;
  store(device, severity::info);
  settle();
  store(device, severity::failure);
  // As many days before the present one as the rules say; and of that what came today.
  CHECK(days() == std::map<int, std::size_t>{{1, 31}, {2, 90}, {3, 180}, {4, 181}});
  CHECK(events().size() < before);
  CHECK(metric("days_erased_total") == std::to_string(170 + 110 + 20 + 20));
  pass_time(24h);
  CHECK(days() == std::map<int, std::size_t>{{1, 30}, {2, 89}, {3, 179}, {4, 180}});
  // Another start finds the same.
  pass_time(2s);
  lose_power();
  pass_time(24h);
  CHECK(days() == std::map<int, std::size_t>{{1, 29}, {2, 88}, {3, 178}, {4, 179}});
}

TEST_CASE_FIXTURE(book_world, "when events are too large together, the oldest days of the lowest "
                              "severity go, never the present one") {
  const auto device = played_agent::random_id<device_id>();
  for (int i = 0; i < 20; ++i) {
    store(device, severity::info, 10'000);
    store(device, severity::critical, 1'000);
    now_us += day_us;
  }
  now_us -= day_us;
  const auto restart = [&](std::uint64_t bytes_max) {
    retention = {fleet_limits::retention_days, bytes_max};
    kill_all();
    start();
    pass(1h); // the day goes on
  };
  restart(1'000'000);
  CHECK(days() == std::map<int, std::size_t>{{1, 20}, {3, 20}});
  restart(100'000);
  CHECK(days() == std::map<int, std::size_t>{{1, 7}, {3, 20}});
  CHECK(std::stoull(metric("kept_bytes")) <= 100'000);
  restart(20'000);
  CHECK(days() == std::map<int, std::size_t>{{1, 1}, {3, 8}});
  store(device, severity::info, 50'000);
  pass(1h);
  CHECK(days() == std::map<int, std::size_t>{{1, 1}, {3, 1}});
}

TEST_CASE_FIXTURE(book_world, "when the store refuses, events stay until the next look") {
  const auto device = played_agent::random_id<device_id>();
  store(device, severity::info);
  now_us += 40 * day_us;
  store(device, severity::info);
  db->fail_writes(storage::errc::disk_full);
  pass(1h);
  CHECK(days() == std::map<int, std::size_t>{{1, 2}});
  db->fail_writes({});
  db->fail_reads(storage::errc::io_error);
  pass(1h);
  db->fail_reads({});
  CHECK(days() == std::map<int, std::size_t>{{1, 2}});
  pass(1h);
  CHECK(days() == std::map<int, std::size_t>{{1, 1}});
}

TEST_CASE_FIXTURE(book_world, "a full disk does not keep days from being erased") {
  const auto device = played_agent::random_id<device_id>();
  store(device, severity::info);
  now_us += 40 * day_us;
  store(device, severity::info);
  db->run_low(true);
  pass(1h);
  CHECK(days() == std::map<int, std::size_t>{{1, 1}});
}

TEST_CASE_FIXTURE(book_world, "a clock that was set back erases nothing") {
  const auto device = played_agent::random_id<device_id>();
  store(device, severity::info);
  now_us -= 400 * day_us;
  pass(2h);
  CHECK(days() == std::map<int, std::size_t>{{1, 1}});
  now_us = 0;
  pass(2h);
  CHECK(days() == std::map<int, std::size_t>{{1, 1}});
}
