#include "tests/actors/fleet_world.hpp"

using namespace muster;
using namespace muster::test;

namespace {

using steps_t = std::vector<call_step>;

struct calls_world : fleet_world {
  played_agent agent = enrolled();

  /// Was here a moment ago, listens for wakes, and has gone without a word.
  void was_here() {
    const auto there = session();
    hello(agent, there);
    leave(agent, there);
  }
};

} // namespace

// -- syncs ------------------------------------------------------------------------------------------

TEST_CASE_FIXTURE(calls_world, "a kept connection is asked at once; the call is done with a sync that "
                               "began after it") {
  const auto there = session();
  hello(agent, there);
  const auto number = call(agent.device);
  REQUIRE(there->syncs.size() == 1);
  CHECK(turn(number).step == call_step::asked);
  CHECK(turn(number).way == call_way::kept);
  sync(agent, there->syncs.front() - 1); // was in progress when the call came
  CHECK(turn(number).step == call_step::asked);
  pass_time(3s);
  sync(agent, there->syncs.front());
  CHECK(turn(number).step == call_step::done);
  CHECK(turn(number).at_us == now_us);
  CHECK(wakes.orders.empty());
}

TEST_CASE_FIXTURE(calls_world, "an absent device is waked where it was last seen, and done with the "
                               "sync of the hello that the wake brings") {
  was_here();
  const auto number = call(agent.device);
  REQUIRE(wakes.orders.size() == 1);
  CHECK(wakes.orders[0].device == agent.device);
  CHECK(wakes.orders[0].address == "192.0.2.7");
  CHECK(wakes.orders[0].port == 15000);
  CHECK(wakes.orders[0].purpose == wake_purpose::sync);
  const auto decision = hello(agent, session());
  CHECK(wakes.there == std::vector{agent.device});
  sync(agent, decision.calls_before);
  wake_ends({true, 1, ""}); // the last word of the waker changes nothing any more
  CHECK(steps(number) == steps_t{call_step::waking, call_step::asked, call_step::done});
  CHECK(turn(number).way == call_way::wake);
}

TEST_CASE_FIXTURE(calls_world, "a wake without arrival is queued until about the next contact, and done "
                               "when the device comes by itself") {
  was_here();
  const auto contact_us = row(agent.device)->last_contact_us;
  const auto number = call(agent.device);
  pass_time(10s);
  wake_ends({false, 4, ""});
  CHECK(turn(number).step == call_step::queued);
  CHECK(turn(number).way == call_way::next_contact);
  CHECK(turn(number).text == "no answer to 4 wakes");
  CHECK(turn(number).until_us == contact_us + 900'000'000);
  pass_time(14min);
  const auto decision = hello(agent, session());
  sync(agent, decision.calls_before);
  CHECK(steps(number) == steps_t{call_step::waking, call_step::queued, call_step::asked, call_step::done});
  CHECK(turn(number).way == call_way::next_contact);
}

TEST_CASE_FIXTURE(calls_world, "who cannot be waked is queued, and the administrator learns why") {
  SUBCASE("it listens for no wakes") {
    agent.wake_port = 0;
    was_here();
    CHECK(turn(call(agent.device)).text == "it listens for no wakes");
  }
  SUBCASE("it was never here") {
    CHECK(turn(call(agent.device)).text == "it listens for no wakes");
    CHECK(turn(calls).until_us == 0);
  }
  SUBCASE("no datagram could be sent") {
    was_here();
    call(agent.device);
    wake_ends({false, 0, "its address cannot be reached from here"});
    CHECK(turn(calls).text == "its address cannot be reached from here");
  }
  SUBCASE("it is off") {
    was_here();
    notice(notice_of(agent));
    call(agent.device);
    wake_ends({false, 4, ""});
    CHECK(turn(calls).text == "no answer to 4 wakes; it has shut down");
    CHECK(turn(calls).until_us == 0);
  }
  SUBCASE("its next contact is overdue") {
    was_here();
    pass_time(20min);
    call(agent.device);
    wake_ends({false, 4, ""});
    CHECK(turn(calls).until_us == 0);
  }
  SUBCASE("the waker has died") {
    was_here();
    kill(waker);
    settle();
    call(agent.device);
    CHECK(turn(calls).text.starts_with("it could not be waked: "));
  }
  CHECK(turn(calls).step == call_step::queued);
}

TEST_CASE_FIXTURE(calls_world, "a call while the admission is pending: the hello's sync does not count, "
                               "the session is asked for another") {
  const auto there = session();
  auto pending = begin_hello(agent, there);
  self->send(directory_of(agent.device), atom::call_v,
             device_call{++calls, agent.device, call_kind::sync, watcher});
  settle();
  const auto decision = **take<admission_ptr>(pending);
  CHECK(decision.calls_before == 0);
  REQUIRE(there->syncs.size() == 1);
  sync(agent, decision.calls_before);
  CHECK(turn(calls).step == call_step::asked);
  sync(agent, there->syncs.front());
  CHECK(turn(calls).step == call_step::done);
  CHECK(turn(calls).way == call_way::kept);
}

TEST_CASE_FIXTURE(calls_world, "a call while an admission that comes to nothing is pending wakes") {
  was_here();
  const auto there = session();
  auto pending = begin_hello(agent, there);
  db->fail_next_writes(1, storage::errc::disk_full);
  self->send(directory_of(agent.device), atom::call_v,
             device_call{++calls, agent.device, call_kind::sync, watcher});
  settle();
  CHECK_FALSE(take<admission_ptr>(pending));
  CHECK(turn(calls).step == call_step::waking);
  CHECK(wakes.orders.size() == 1);
}

TEST_CASE_FIXTURE(calls_world, "a device whose session was about to end is woken for the call, once") {
  const auto there = session();
  hello(agent, there);
  const auto number = call(agent.device);
  CHECK(wakes.orders.empty());
  leave(agent, there);
  CHECK(turn(number).step == call_step::waking);
  REQUIRE(wakes.orders.size() == 1);
  const auto again = session();
  const auto decision = hello(agent, again);
  CHECK(turn(number).step == call_step::asked);
  SUBCASE("and syncs") {
    sync(agent, decision.calls_before);
    CHECK(turn(number).step == call_step::done);
    CHECK(turn(number).way == call_way::wake);
  }
  SUBCASE("and goes again before it has synced") {
    leave(agent, again);
    CHECK(turn(number).step == call_step::queued);
    CHECK(wakes.orders.size() == 1);
  }
}

TEST_CASE_FIXTURE(calls_world, "a session that ends in the middle queues where nobody can be woken; the next connection serves") {
  agent.wake_port = 0;
  const auto there = session();
  hello(agent, there);
  const auto number = call(agent.device);
  leave(agent, there); // what a killed session says, too (session_test)
  CHECK(turn(number).step == call_step::queued);
  CHECK(turn(number).text == "its connection ended before it had synced");
  const auto decision = hello(agent, session());
  sync(agent, decision.calls_before);
  CHECK(turn(number).step == call_step::done);
}

TEST_CASE_FIXTURE(calls_world, "a connection that takes over serves the call of the one before") {
  const auto there = session();
  hello(agent, there);
  const auto number = call(agent.device);
  const auto next = session();
  const auto decision = hello(agent, next); // the same boot: no question
  CHECK(there->endings == std::vector{session_end::replaced});
  leave(agent, there);
  CHECK(next->syncs.empty());
  sync(agent, decision.calls_before);
  CHECK(turn(number).step == call_step::done);
}

TEST_CASE_FIXTURE(calls_world, "who does not sync within a minute is queued, and done when it does") {
  const auto there = session();
  hello(agent, there);
  const auto number = call(agent.device);
  pass_time(55s);
  CHECK(turn(number).step == call_step::asked);
  pass_time(10s);
  CHECK(turn(number).step == call_step::queued);
  CHECK(turn(number).text == "it is connected, and has not synced for a minute");
  sync(agent, there->syncs.front());
  CHECK(turn(number).step == call_step::done);
}

TEST_CASE_FIXTURE(calls_world, "a failed sync is told, counted, and forgotten with a good one") {
  const auto there = session();
  hello(agent, there);
  const auto number = call(agent.device);
  for (int i = 0; i < 3; ++i) {
    self->send(directory_of(agent.device), atom::failed_v, agent.device);
    settle();
  }
  CHECK(turn(number).step == call_step::queued);
  CHECK(turn(number).text == "a sync of it has failed");
  CHECK(row(agent.device)->sync_failures == 3);
  CHECK(row(agent.device)->status == device_status::warning);
  CHECK(row(agent.device)->status_reason == "3 syncs in a row have failed");
  pass_time(7s); // class trace
  pass_time(2s);
  lose_power();
  CHECK(row(agent.device)->sync_failures == 3);
  sync(agent, sync_outcome{});
  CHECK(row(agent.device)->sync_failures == 0);
  CHECK(row(agent.device)->status == device_status::ok);
}

TEST_CASE_FIXTURE(calls_world, "revoking and removing a device fail its calls, as does calling it then") {
  was_here();
  const auto waking = call(agent.device);
  const bool removed = [] {
    bool out = false;
    SUBCASE("revoked") {}
    SUBCASE("removed") { out = true; }
    return out;
  }();
  if (removed)
    ask<bool>(directory_of(agent.device), atom::remove_v, agent.device, audit("device.remove"));
  else
    ask<bool>(directory_of(agent.device), atom::revoke_v, agent.device, audit("device.revoke"));
  CHECK(turn(waking).step == call_step::failed);
  CHECK(turn(waking).text == (removed ? "it has been removed" : "it has been revoked"));
  wake_ends({false, 4, ""});
  CHECK(turn(waking).step == call_step::failed);
  CHECK(turn(call(agent.device)).step == call_step::failed);
  CHECK(turn(calls).text == (removed ? "no such device" : "it has been revoked"));
}

TEST_CASE_FIXTURE(calls_world, "one wake serves all calls of a device, and the oldest of too many fails") {
  was_here();
  for (std::size_t i = 0; i <= fleet_limits::calls_per_device_max; ++i)
    call(agent.device);
  CHECK(wakes.orders.size() == 1);
  CHECK(turn(1).step == call_step::failed);
  CHECK(turn(1).text == "too many calls wait; this one was the oldest");
  CHECK(turn(2).step == call_step::waking);
  const auto decision = hello(agent, session());
  sync(agent, decision.calls_before);
  for (std::uint64_t i = 2; i <= calls; ++i)
    CHECK(turn(i).step == call_step::done);
}

TEST_CASE_FIXTURE(calls_world, "a call between an arrival and the waker's word of it wakes anew") {
  was_here();
  call(agent.device);
  const auto there = session();
  const auto decision = hello(agent, there);
  sync(agent, decision.calls_before);
  leave(agent, there);
  const auto number = call(agent.device);
  CHECK(wakes.orders.size() == 2);
  wake_ends({true, 1, ""});
  CHECK(turn(number).step == call_step::queued); // both orders ended; only the second one's end counts
}

TEST_CASE_FIXTURE(calls_world, "only so many wakes are under way; the others wait in line") {
  shards = 1;
  kill_all();
  start();
  std::vector<played_agent> many;
  for (std::size_t i = 0; i < fleet_limits::wakes_max + 2; ++i) {
    many.push_back(enrolled("many-" + std::to_string(i)));
    const auto there = session();
    hello(many.back(), there);
    leave(many.back(), there);
    call(many.back().device);
  }
  CHECK(wakes.orders.size() == fleet_limits::wakes_max);
  hello(many.back(), session()); // came while it waited: nobody is sent to wake it
  wake_ends({false, 4, ""});
  CHECK(wakes.orders.size() == fleet_limits::wakes_max + 1);
  CHECK(turn(calls).step == call_step::asked);
  CHECK(turn(calls - 1).step == call_step::waking);
}

TEST_CASE_FIXTURE(calls_world, "a wake call is done when the device is connected") {
  was_here();
  const auto number = call(agent.device, call_kind::wake);
  CHECK(wakes.orders.at(0).purpose == wake_purpose::control);
  hello(agent, session());
  CHECK(steps(number) == steps_t{call_step::waking, call_step::done});
  CHECK(turn(number).way == call_way::wake);
  CHECK(steps(call(agent.device, call_kind::wake)) == steps_t{call_step::done});
  CHECK(turn(calls).way == call_way::kept);
}

TEST_CASE_FIXTURE(calls_world, "the waker hears of counters that agents name, each once, and of no lie") {
  auto greet = [&](std::uint64_t counter) {
    auto facts = hello_of(agent, session());
    facts->counter = ++agent.counter;
    facts->wake_counter = counter;
    ask<admission_ptr>(directory_of(agent.device), atom::admit_v, hello_facts_ptr{facts});
  };
  const auto now = static_cast<std::uint64_t>(now_us);
  greet(now);
  greet(now - 1);
  greet(now);
  greet(UINT64_MAX);
  greet(now + 1);
  CHECK(wakes.heard == std::vector{now, now + 1});
}

// -- tests of wakes ---------------------------------------------------------------------------------

TEST_CASE_FIXTURE(calls_world, "a device that tests wakes is waked although it is here, each time anew") {
  const auto there = session();
  hello(agent, there);
  auto first = begin_ask(directory_of(agent.device), atom::probe_v, agent.device);
  settle();
  REQUIRE(wakes.orders.size() == 1);
  CHECK(wakes.orders[0].device == agent.device);
  CHECK(wakes.orders[0].purpose == wake_purpose::control);
  CHECK(wakes.there.empty());
  // The datagrams of the first one are worth nothing any more.
  auto second = begin_ask(directory_of(agent.device), atom::probe_v, agent.device);
  settle();
  CHECK(wakes.there == std::vector{agent.device});
  CHECK(wakes.orders.size() == 2);
  wake_ends({false, 0, "no socket"});
  CHECK(take<wake_result>(first)->sent == 0);
  CHECK(take<wake_result>(second)->text == "no socket");
}

TEST_CASE_FIXTURE(calls_world, "a test of wakes by a device that listens nowhere says so") {
  agent.wake_port = 0;
  const auto there = session();
  hello(agent, there);
  const auto result = ask<wake_result>(directory_of(agent.device), atom::probe_v, agent.device);
  CHECK(result.sent == 0);
  CHECK_FALSE(result.text.empty());
  CHECK(wakes.orders.empty());
}
