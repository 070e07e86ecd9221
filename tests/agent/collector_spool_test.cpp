// The collector with the spool it has in production.

#include "tests/agent/collector_world.hpp"
#include "tests/agent/spool_world.hpp"

namespace muster::test {

namespace {

collector_actor open_eyes(spool_life& life, fake_machine& machine) {
  return life.host(collector, collector_options{.view = machine.view(),
                                                .spool = life.spool,
                                                .writer = life.writer,
                                                .reader = life.reader,
                                                .agent_version = "1.2.3"});
}

std::vector<std::string> types_of(const std::vector<named_event>& events) {
  std::vector<std::string> out;
  for (const auto& one : events)
    out.push_back(one.item.type);
  return out;
}

} // namespace

TEST_CASE("what the collector sees is in the spool in its order, over crashes and stops") {
  storage::memory_store db;
  fake_machine machine;
  machine.install("curl", "7.88");
  {
    spool_life life{db};
    const auto eyes = open_eyes(life, machine);
    machine.install("curl", "7.89");
    machine.use_disk(95);
    life.self->send(eyes, atom::watch_v);
    life.pass(30s);
  } // crash
  machine.install("git", "2.39");
  spool_life life{db};
  const auto eyes = open_eyes(life, machine);
  life.stop(eyes);
  CHECK_FALSE(life.alive(eyes));
  const auto events = life.all();
  CHECK(types_of(events) == std::vector<std::string>{"agent.started", "application.upgraded",
                                                     "disk.nearly_full", "agent.started",
                                                     "application.installed", "agent.stopped"});
  for (const auto& one : events)
    CHECK(one.item.time_ms == machine.now_us / 1000);
}

TEST_CASE("a full disk loses no change: it is told when there is room again") {
  storage::memory_store db;
  fake_machine machine;
  spool_life life{db};
  const auto eyes = open_eyes(life, machine);
  db.fail_writes(storage::errc::disk_full);
  machine.install("git", "2.39");
  life.self->send(eyes, atom::watch_v);
  life.pass(60s);
  CHECK(life.count() == 1);
  db.fail_writes({});
  life.pass(30s);
  CHECK(types_of(life.all()) == std::vector<std::string>{"agent.started", "application.installed"});
}

} // namespace muster::test
