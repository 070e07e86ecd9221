// What a full spool drops, and how it says so.
#include "storage/memory_store.hpp"
#include "tests/agent/spool_world.hpp"

#include <algorithm>
#include <random>
#include <set>

using namespace muster;
using namespace muster::test;

namespace {

spool_bounds small(std::size_t events_max) {
  spool_bounds out;
  out.events_max = events_max;
  out.gaps_max = 4;
  return out;
}

std::size_t count_of(const std::vector<named_event>& events, severity how) {
  return static_cast<std::size_t>(
    std::count_if(events.begin(), events.end(), [&](const named_event& one) {
      return !one.item.gap && one.item.severity == how;
    }));
}

} // namespace

TEST_CASE("a flood of little things leaves room for what matters, and says what it cost") {
  storage::memory_store db;
  spool_life life{db, small(100)};
  for (int i = 0; i < 300; ++i)
    life.raise("info " + std::to_string(i));
  for (int i = 0; i < 10; ++i)
    life.raise("failure " + std::to_string(i), severity::failure);
  const auto events = life.all();
  CHECK(count_of(events, severity::failure) == 10);
  CHECK(count_of(events, severity::info) <= 50);
  CHECK(count_of(events, severity::info) >= 48);
  CHECK(texts_of(events).back() == "failure 9");
  const auto lost = check_gapless(events);
  CHECK(lost + count_of(events, severity::info) == 300);
  // The oldest went.
  CHECK(events[0].item.gap);
  CHECK(events[0].item.severity == severity::warning);
  spool_life later{db, small(100)};
  CHECK(check_gapless(later.all()) == lost);
  CHECK(texts_of(later.all()) == texts_of(events));
}

TEST_CASE("a newcomer of the lowest severity that finds no room is refused and counted") {
  storage::memory_store db;
  spool_life life{db, small(10)};
  for (int i = 0; i < 10; ++i)
    life.raise("failure " + std::to_string(i), severity::failure);
  const auto answer = life.try_raise("info");
  REQUIRE_FALSE(answer);
  CHECK(text_of(answer.error()) == "the spool is full");
  const auto events = life.all();
  CHECK(count_of(events, severity::failure) == 10);
  CHECK(check_gapless(events) == 1);
  CHECK(events.back().item.gap->count == 1);
}

TEST_CASE("nothing in flight is dropped, however full the spool is") {
  storage::memory_store db;
  spool_life life{db, small(20)};
  for (int i = 0; i < 10; ++i)
    life.raise(std::to_string(i));
  const auto in_flight = life.next({}, 100'000);
  REQUIRE(in_flight->events.size() == 10);
  for (int i = 10; i < 60; ++i)
    static_cast<void>(life.try_raise(std::to_string(i)));
  const auto now = life.next({}, 100'000);
  for (std::size_t i = 0; i < in_flight->events.size(); ++i)
    CHECK(now->events.at(i).text == in_flight->events[i].text);
  life.acknowledge({in_flight->epoch, in_flight->events.back().sequence});
  const auto rest = life.all();
  CHECK(rest.front().item.sequence > 10);
  life.raise("room again");
  CHECK(texts_of(life.all()).back() == "room again");
}

TEST_CASE("gap records that were renumbered still say which sequences are missing") {
  storage::memory_store db;
  spool_life life{db, small(20)};
  for (int i = 0; i < 40; ++i)
    life.raise(std::to_string(i));
  const auto lost = check_gapless(life.all());
  CHECK(lost > 0);
  life.ask<caf::ok_atom>(life.spool, atom::renumber_v, event_position{});
  const auto renamed = life.all();
  CHECK(check_gapless(renamed) == lost);
  CHECK(renamed[0].item.gap->first == 1);
  spool_life later{db, small(20)};
  CHECK(check_gapless(later.all()) == lost);
  CHECK(later.all()[0].epoch == renamed[0].epoch);
}

TEST_CASE("whatever is raised, sent, acknowledged and crashed at random, the account is right") {
  std::mt19937_64 random{20261124};
  const auto below = [&](std::uint64_t n) { return random() % n; };
  for (int round = 0; round < 20; ++round) {
    storage::memory_store db;
    std::uint64_t accepted = 0, refused = 0, received = 0, reported = 0;
    event_position server;
    for (int start = 0; start < 4; ++start) {
      spool_life life{db, small(30)};
      life.acknowledge(server);
      auto sent = server;
      for (int step = 0; step < 60; ++step) {
        const auto dice = below(10);
        if (dice < 7) {
          const auto how = static_cast<severity>(1 + below(4));
          (life.try_raise("e", how) ? accepted : refused) += 1;
        } else if (dice < 9) {
          const auto batch = life.next(sent, 200);
          if (!batch->events.empty())
            sent = {batch->epoch, batch->events.back().sequence};
          // The server takes it.
          for (const auto& item : batch->events)
            (item.gap ? reported : received) += item.gap ? item.gap->count : 1;
          server = sent;
        } else {
          life.acknowledge(server);
        }
      }
    }
    spool_life last{db, small(30)};
    last.acknowledge(server);
    const auto rest = last.all(server);
    for (const auto& one : rest)
      (one.item.gap ? reported : received) += one.item.gap ? one.item.gap->count : 1;
    CHECK(received + reported == accepted + refused);
    CHECK(rest.size() <= 30 + 4);
  }
}
