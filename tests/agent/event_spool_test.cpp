#include "storage/keys.hpp"
#include "storage/memory_store.hpp"
#include "tests/agent/spool_world.hpp"

#include <caf/exit_reason.hpp>


using namespace muster;
using namespace muster::test;
using namespace std::chrono_literals;
using strings = std::vector<std::string>;

namespace {

struct disk {
  storage::memory_store db;
};

struct spool_world : disk, spool_life {
  spool_world() : spool_life(db) {}
};

strings numbered(int first, int last) {
  strings out;
  for (int i = first; i <= last; ++i)
    out.push_back(std::to_string(i));
  return out;
}

void listener(caf::event_based_actor* self, int* told) {
  self->become([told](atom::ready) { ++*told; });
}

} // namespace

TEST_CASE_FIXTURE(spool_world, "an event is answered when it is on the disk, not before") {
  bool applied = false;
  db.on_sync([&] {
    applied = true;
    CHECK_FALSE(self->has_next_message());
    CHECK(db.after_power_loss()->keys(storage::family::events) == 0);
  });
  raise("1");
  CHECK(applied);
  CHECK(db.after_power_loss()->keys(storage::family::events) == 1);
  const auto batch = next({});
  REQUIRE(batch->events.size() == 1);
  CHECK(batch->events[0].sequence == 1);
  CHECK(batch->events[0].text == "1");
  CHECK(batch->events[0].time_ms == now_us / 1000);
  CHECK(count() == 1);
}

TEST_CASE_FIXTURE(spool_world, "events raised together share a commit and keep their order") {
  raise("1");
  const auto before = db.syncs();
  for (int i = 2; i <= 50; ++i)
    self->send(spool, atom::raise_v, event(std::to_string(i)));
  settle();
  CHECK(db.syncs() - before <= 2);
  CHECK(texts_of(all()) == numbered(1, 50));
  CHECK(check_gapless(all()) == 0);
}

TEST_CASE_FIXTURE(spool_world, "a batch is of one epoch, behind its position, within its size") {
  for (int i = 1; i <= 10; ++i)
    raise(std::to_string(i));
  const auto first = next({}, 100);
  CHECK(first->events.size() < 10);
  const auto one = next({}, 1);
  CHECK(one->events.size() == 1);
  spool_life later{db};
  later.raise("11");
  const auto old = later.next({});
  CHECK(old->epoch == first->epoch);
  CHECK(old->events.size() == 10);
  const auto young = later.next({old->epoch, 10});
  CHECK(young->epoch != old->epoch);
  CHECK(young->events.size() == 1);
  CHECK(young->events[0].sequence == 1);
  CHECK(later.next({young->epoch, 1})->events.empty());
}

TEST_CASE_FIXTURE(spool_world, "what the server holds is erased, older epochs included") {
  for (int i = 1; i <= 5; ++i)
    raise(std::to_string(i));
  const auto epoch = next({})->epoch;
  acknowledge({epoch, 2});
  CHECK(count() == 3);
  CHECK(db.keys(storage::family::events) == 3);
  spool_life later{db};
  CHECK(texts_of(later.all()) == numbered(3, 5));
  later.raise("6");
  later.raise("7");
  const auto young = later.all().back().epoch;
  later.acknowledge({young, 1});
  CHECK(texts_of(later.all()) == strings{"7"});
  later.acknowledge({young, 2});
  CHECK(later.count() == 0);
  CHECK(db.keys(storage::family::events) == 0);
}

TEST_CASE_FIXTURE(spool_world, "a position nobody knows erases nothing") {
  raise("1");
  acknowledge({4711, 50});
  acknowledge({});
  CHECK(texts_of(all({4711, 50})) == strings{"1"});
}

TEST_CASE_FIXTURE(spool_world, "many acknowledged events go by one range") {
  for (int i = 1; i <= 200; ++i)
    self->send(spool, atom::raise_v, event(std::to_string(i)));
  settle();
  acknowledge({next({})->epoch, 150});
  CHECK(db.keys(storage::family::events) == 50);
  CHECK(texts_of(all()) == numbered(151, 200));
}

TEST_CASE_FIXTURE(spool_world, "what could not be erased is erased later") {
  raise("1");
  const auto epoch = next({})->epoch;
  db.fail_next_writes(1, storage::errc::disk_full);
  acknowledge({epoch, 1});
  CHECK(count() == 0);
  CHECK(db.keys(storage::family::events) == 1);
  pass(6s);
  CHECK(db.keys(storage::family::events) == 0);
}

TEST_CASE_FIXTURE(spool_world, "on a full disk there is room again for what the server holds") {
  raise("1");
  const auto epoch = next({})->epoch;
  db.run_low(true);
  CHECK_FALSE(try_raise("2"));
  acknowledge({epoch, 1});
  pass(6s);
  CHECK(db.keys(storage::family::events) == 0);
}

TEST_CASE_FIXTURE(spool_world, "an event the disk refused leaves no hole") {
  raise("1");
  db.fail_next_writes(1, storage::errc::disk_full);
  const auto answer = try_raise("lost");
  REQUIRE_FALSE(answer);
  CHECK(is(answer.error(), storage::errc::disk_full));
  raise("2");
  const auto events = all();
  CHECK(texts_of(events) == numbered(1, 2));
  CHECK(events.back().item.sequence == 2);
}

TEST_CASE_FIXTURE(spool_world, "whoever subscribes is told of what waits and of what comes") {
  int told = 0;
  const auto ear = host(listener, &told);
  self->send(spool, atom::subscribe_v, caf::actor_cast<caf::actor>(ear));
  settle();
  CHECK(told == 0);
  raise("1");
  CHECK(told == 1);
  spool_life later{db};
  int told_later = 0;
  const auto late_ear = later.host(listener, &told_later);
  later.self->send(later.spool, atom::subscribe_v, caf::actor_cast<caf::actor>(late_ear));
  later.settle();
  CHECK(told_later == 1);
}

TEST_CASE_FIXTURE(spool_world, "events are cut to their bounds, at whole characters") {
  raised_event large;
  large.type = std::string(200, 't');
  large.text = std::string(2'047, 'x') + "\xC3\xA4 and more";
  large.attributes["bad"] = "\xff\xfe";
  for (int i = 0; i < 100; ++i)
    large.attributes["k" + std::to_string(i)] = std::string(5'000, 'v');
  ask<caf::ok_atom>(spool, atom::raise_v, std::make_shared<const raised_event>(large));
  const auto item = next({})->events.at(0);
  CHECK(item.type.size() == 64);
  CHECK(item.text == std::string(2'047, 'x'));
  CHECK(item.attributes.size() == 32);
  CHECK(item.attributes.at("bad") == "??");
  CHECK(item.attributes.at("k0").size() == 512);
}

TEST_CASE_FIXTURE(spool_world, "too many events at once are refused, the others kept") {
  auto refused = 0;
  std::vector<decltype(begin_ask(spool, atom::raise_v, event("")))> pending;
  for (int i = 0; i < 1'100; ++i)
    pending.push_back(begin_ask(spool, atom::raise_v, event(std::to_string(i))));
  settle();
  for (auto& one : pending)
    refused += take<caf::ok_atom>(one) ? 0 : 1;
  CHECK(count() + static_cast<std::uint64_t>(refused) == 1'100);
  CHECK(check_gapless(all()) == 0);
}

TEST_CASE_FIXTURE(spool_world, "asked to stop it finishes what it has accepted") {
  auto pending = begin_ask(spool, atom::raise_v, event("1"));
  caf::anon_send_exit(spool, caf::exit_reason::user_shutdown);
  settle();
  CHECK(take<caf::ok_atom>(pending));
  CHECK_FALSE(alive(spool));
  spool_life later{db};
  CHECK(texts_of(later.all()) == strings{"1"});
}

TEST_CASE_FIXTURE(spool_world, "a spool that cannot read its disk ends, its successor looks again") {
  raise("1");
  db.fail_reads(storage::errc::io_error);
  start_spool();
  CHECK_FALSE(alive(spool));
  db.fail_reads({});
  start_spool();
  CHECK(texts_of(all()) == strings{"1"});
}

TEST_CASE_FIXTURE(spool_world, "a failed read is told and nothing is lost by it") {
  raise("1");
  db.fail_reads(storage::errc::io_error);
  CHECK_FALSE(try_ask<spool_batch_ptr>(spool, atom::next_v, event_position{}, std::uint32_t{1000}));
  db.fail_reads({});
  CHECK(texts_of(all()) == strings{"1"});
}

TEST_CASE_FIXTURE(spool_world, "a damaged record becomes a gap") {
  for (int i = 1; i <= 5; ++i)
    raise(std::to_string(i));
  const storage::change_batch damage{
    storage::put(storage::family::events, storage::keys::spooled(2), "?"),
    storage::put(storage::family::events, storage::keys::spooled(3), "?")};
  REQUIRE_FALSE(db.write_sync({&damage, 1}));
  CHECK_FALSE(try_ask<spool_batch_ptr>(spool, atom::next_v, event_position{}, std::uint32_t{9999}));
  CHECK_FALSE(alive(spool));
  start_spool();
  const auto events = all();
  CHECK(texts_of(events) == strings{"1", "4", "5"});
  CHECK(check_gapless(events) == 2);
  // Damaged from the first one on: then nobody knows whose they were.
  const storage::change_batch more{
    storage::put(storage::family::events, storage::keys::spooled(1), "?")};
  REQUIRE_FALSE(db.write_sync({&more, 1}));
  start_spool();
  CHECK(texts_of(all()) == strings{"4", "5"});
}
