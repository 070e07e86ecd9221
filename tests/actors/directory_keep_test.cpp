#include "tests/actors/fleet_world.hpp"

using namespace muster;
using namespace muster::test;

namespace {

using steps_t = std::vector<call_step>;

struct keep_world : fleet_world {
  played_agent agent = enrolled();

  /// Was here a moment ago, listens for wakes, and has gone without a word.
  void was_here() {
    const auto there = session();
    hello(agent, there);
    leave(agent, there);
  }
};

} // namespace

TEST_CASE_FIXTURE(keep_world, "keep: stored before the session is told, and the welcome says it ever "
                               "after") {
  const auto there = session();
  hello(agent, there);
  std::size_t told_too_early = 0;
  db->on_sync([&] { told_too_early += there->keeps.size(); });
  const auto number = call(agent.device, call_kind::keep_on);
  db->on_sync(nullptr);
  CHECK(told_too_early == 0);
  CHECK(there->keeps == std::vector{true});
  CHECK(steps(number) == steps_t{call_step::done});
  CHECK(turn(number).way == call_way::kept);
  CHECK(row(agent.device)->keep);
  lose_power(); // at once: it was a command
  CHECK(row(agent.device)->keep);
  CHECK(hello(agent, session()).keep);
  call(agent.device, call_kind::keep_off);
  lose_power();
  CHECK_FALSE(hello(agent, session()).keep);
}

TEST_CASE_FIXTURE(keep_world, "a flag that cannot be stored is told to nobody, and is as before") {
  const auto there = session();
  hello(agent, there);
  db->fail_writes(storage::errc::disk_full);
  const auto number = call(agent.device, call_kind::keep_on);
  CHECK(turn(number).step == call_step::failed);
  CHECK(turn(number).text.starts_with("it could not be stored: "));
  CHECK(there->keeps.empty());
  CHECK_FALSE(row(agent.device)->keep);
  db->fail_writes({});
  pass_time(7s);
  CHECK_FALSE(report(agent.device)->keep());
  call(agent.device, call_kind::keep_on);
  CHECK(there->keeps == std::vector{true});
}

TEST_CASE_FIXTURE(keep_world, "an absent device is waked to be kept, else kept from its next "
                               "connection; letting go needs no device") {
  was_here();
  const auto on = call(agent.device, call_kind::keep_on);
  CHECK(wakes.orders.at(0).purpose == wake_purpose::control);
  wake_ends({false, 4, ""});
  CHECK(turn(on).step == call_step::queued);
  CHECK(hello(agent, session()).keep);
  CHECK(turn(on).step == call_step::done);
  CHECK(turn(on).way == call_way::next_contact);

  was_here();
  CHECK(steps(call(agent.device, call_kind::keep_off)) == steps_t{call_step::done});
  CHECK(wakes.orders.size() == 1);
  CHECK_FALSE(hello(agent, session()).keep);
}

TEST_CASE_FIXTURE(keep_world, "the last word counts when a flag is changed while it is being stored") {
  const auto there = session();
  hello(agent, there);
  for (const auto kind : {call_kind::keep_on, call_kind::keep_off, call_kind::keep_on})
    self->send(directory_of(agent.device), atom::call_v,
               device_call{++calls, agent.device, kind, watcher});
  settle();
  CHECK(there->keeps == std::vector{true, false, true});
  CHECK(row(agent.device)->keep);
  lose_power();
  CHECK(row(agent.device)->keep);
}

TEST_CASE_FIXTURE(keep_world, "a report that is written while the flag is on its way keeps the flag") {
  const auto there = session();
  hello(agent, there);
  self->send(directory_of(agent.device), atom::call_v,
             device_call{++calls, agent.device, call_kind::keep_on, watcher});
  self->send(directory_of(agent.device), atom::contact_v, agent.device);
  self->send(directory_of(agent.device), atom::tick_v);
  settle();
  pass_time(2s);
  lose_power();
  CHECK(row(agent.device)->keep);
}

// -- after a restart --------------------------------------------------------------------------------

TEST_CASE_FIXTURE(keep_world, "after a restart a device is unknown until it is seen, then silent only "
                               "after three periods of listening") {
  was_here();
  pass_time(10s);
  SUBCASE("just not late") { pass_time(44min); }
  SUBCASE("late long ago") { pass_time(100h); }
  lose_power();
  CHECK(row(agent.device)->state == device_state::unknown);
  pass_time(44min);
  CHECK(row(agent.device)->state == device_state::unknown);
  SUBCASE("it comes") {
    was_here();
    CHECK(row(agent.device)->state == device_state::idle);
  }
  SUBCASE("it stays away") {
    pass_time(2min);
    CHECK(row(agent.device)->state == device_state::silent);
  }
}

TEST_CASE_FIXTURE(keep_world, "a device with a period of its own is judged and expected by that") {
  auto facts = hello_of(agent, session());
  facts->counter = ++agent.counter;
  facts->sync_period_s = 7200;
  facts->wake_port = 0;
  ask<admission_ptr>(directory_of(agent.device), atom::admit_v, hello_facts_ptr{facts});
  self->send(directory_of(agent.device), atom::left_v, agent.device, facts->session.address());
  settle();
  const auto contact_us = row(agent.device)->last_contact_us;
  CHECK(turn(call(agent.device)).until_us == contact_us + 7'200'000'000);
  pass_time(5h);
  CHECK(row(agent.device)->state == device_state::idle);
  pass_time(61min);
  CHECK(row(agent.device)->state == device_state::silent);
}
