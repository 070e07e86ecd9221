#include "tests/actors/fleet_world.hpp"

using namespace muster;
using namespace muster::test;

namespace {

device_counts counted(fleet_world& world) {
  device_counts out;
  for (const auto& one : world.directories) {
    const auto part = world.ask<device_counts>(one, atom::count_v);
    out.notices += part.notices;
    out.notices_repeated += part.notices_repeated;
    out.notices_refused += part.notices_refused;
  }
  return out;
}

} // namespace

TEST_CASE_FIXTURE(fleet_world, "a notice: off when the session has ended, with the reason, and after a "
                               "restart too") {
  auto agent = enrolled();
  const auto there = session();
  hello(agent, there);
  pass_time(1min);
  CHECK(notice(notice_of(agent, off_reason::suspend)));
  const auto told_us = now_us;
  CHECK(row(agent.device)->state == device_state::connected); // its last events may still come
  leave(agent, there);
  pass_time(24h);
  lose_power();
  const auto seen = *row(agent.device);
  CHECK(seen.state == device_state::off);
  CHECK(seen.off_reason == off_reason::suspend);
  CHECK(seen.off_us == told_us / 1000 * 1000);
  CHECK(seen.last_contact_us == told_us / 1000 * 1000);
}

TEST_CASE_FIXTURE(fleet_world, "any hello ends off, and its counter must be above the notice's") {
  auto agent = enrolled();
  hello(agent, session());
  CHECK(notice(notice_of(agent)));
  const auto there = session();
  auto decision = hello(agent, there);
  CHECK_FALSE(decision.went_back);
  CHECK(row(agent.device)->off_us == 0);
  leave(agent, there);
  // Set back to where it was before the notice: the next counter is the notice's own.
  CHECK(notice(notice_of(agent)));
  --agent.counter;
  decision = hello(agent, session());
  CHECK(decision.went_back);
  CHECK(row(agent.device)->off_us == 0);
}

TEST_CASE_FIXTURE(fleet_world, "a notice is counted once, and acknowledged as often as it comes") {
  auto agent = enrolled();
  hello(agent, session());
  const auto facts = notice_of(agent);
  CHECK(notice(facts));
  CHECK(notice(facts));
  CHECK(notice(facts));
  CHECK(counted(*this).notices == 1);
  CHECK(counted(*this).notices_repeated == 2);

  // Also while the first is on its way to the store, and after a restart.
  const auto next = notice_of(agent);
  auto first = begin_ask(directory_of(agent.device), atom::notice_v, next);
  auto second = begin_ask(directory_of(agent.device), atom::notice_v, next);
  settle();
  CHECK(*take<bool>(second));
  CHECK(*take<bool>(first));
  CHECK(counted(*this).notices == 2);
  pass_time(2s);
  lose_power();
  CHECK(notice(next));
  CHECK(counted(*this).notices == 0);
}

TEST_CASE_FIXTURE(fleet_world, "notices of the past, of strangers and of the revoked are not "
                               "acknowledged and change nothing") {
  auto agent = enrolled();
  const auto old = notice_of(agent);
  const auto there = session();
  hello(agent, there);
  leave(agent, there);
  CHECK_FALSE(notice(old));
  CHECK_FALSE(notice({agent.device, agent.boot, agent.counter, off_reason::shutdown})); // the hello's
  CHECK_FALSE(notice({agent.device, agent.boot, agent.counter + 1, off_reason::none}));
  CHECK(row(agent.device)->state == device_state::idle);
  CHECK_FALSE(notice({played_agent::random_id<device_id>(), agent.boot, 5, off_reason::shutdown}));
  ask<bool>(directory_of(agent.device), atom::revoke_v, agent.device, audit("device.revoke"));
  CHECK_FALSE(notice(notice_of(agent)));
  CHECK(row(agent.device)->off_us == 0);
  CHECK(counted(*this).notices == 0);
  CHECK(counted(*this).notices_refused == 5);
}

TEST_CASE_FIXTURE(fleet_world, "a notice that the store refuses is not acknowledged and changes "
                               "nothing; its retry counts") {
  auto agent = enrolled();
  const auto there = session();
  hello(agent, there);
  leave(agent, there);
  const auto facts = notice_of(agent);
  db->fail_writes(storage::errc::disk_full);
  CHECK_FALSE(try_ask<bool>(directory_of(agent.device), atom::notice_v, facts));
  CHECK(row(agent.device)->state == device_state::idle);
  db->fail_writes({});
  CHECK(notice(facts));
  CHECK(row(agent.device)->state == device_state::off);
  CHECK(counted(*this).notices == 1);
}

TEST_CASE_FIXTURE(fleet_world, "a notice overtakes the hello before it: no alarm, and off when that "
                               "session ends") {
  auto agent = enrolled();
  hello(agent, session());
  const auto late = session();
  auto facts = notice_of(agent);
  facts.counter = ++agent.counter; // the hello's is the one in between
  CHECK(notice(facts));
  agent.counter -= 2;
  const auto decision = hello(agent, late);
  CHECK(decision.reason == refusal::none);
  CHECK_FALSE(decision.went_back);
  CHECK(row(agent.device)->state == device_state::connected);
  leave(agent, late);
  CHECK(row(agent.device)->state == device_state::off);
  CHECK(notice(facts));
  pass_time(2s);
  lose_power();
  CHECK(row(agent.device)->state == device_state::off);
  CHECK(notice(facts));
  CHECK(events_of(agent.device, "device.went_back") == 0);
}

TEST_CASE_FIXTURE(fleet_world, "a notice waits for an admission of its device, and comes after it") {
  auto agent = enrolled();
  const auto old = session(std::nullopt);
  hello(agent, old);
  agent.boot = played_agent::random_id<boot_id>();
  const auto newcomer = session();
  auto admission = begin_hello(agent, newcomer); // the old session is being asked
  settle();
  auto told = begin_ask(directory_of(agent.device), atom::notice_v, notice_of(agent));
  settle();
  CHECK(row(agent.device)->off_us == 0);
  answer(old, false);
  CHECK((*take<admission_ptr>(admission))->reason == refusal::none);
  CHECK(*take<bool>(told));
  leave(agent, newcomer);
  CHECK(row(agent.device)->state == device_state::off);
}

TEST_CASE_FIXTURE(fleet_world, "a whole office goes home at once, and all are counted") {
  std::vector<played_agent> office;
  for (int i = 0; i < 200; ++i) {
    office.push_back(enrolled("desk-" + std::to_string(i)));
    hello(office.back(), session());
  }
  const auto commits = db->writes();
  for (auto& agent : office)
    self->send(directory_of(agent.device), atom::notice_v, notice_of(agent));
  settle();
  CHECK(counted(*this).notices == 200);
  CHECK(db->writes() - commits <= 2 * shards); // what came while the first was written
  while (self->has_next_message())
    self->receive([](bool taken) { CHECK(taken); });
}
