// Who may come in: one session per device, never two machines on one record.

#include "tests/actors/fleet_world.hpp"

using namespace muster;
using namespace muster::test;

TEST_CASE_FIXTURE(fleet_world, "a hello is recorded before it is welcomed") {
  auto agent = enrolled();
  const auto first = session();
  auto pending = begin_hello(agent, first);
  std::uint64_t written = 0;
  while (sched.try_run_once() && !self->has_next_message())
    if (const auto kept = report(agent.device))
      written = kept->hello_counter();
  CHECK(written == 1);
  const auto verdict = take<admission_ptr>(pending);
  REQUIRE(verdict);
  CHECK((*verdict)->reason == refusal::none);
  CHECK_FALSE((*verdict)->went_back);
  CHECK((*verdict)->device_name == "mill");
  CHECK((*verdict)->known == section_digests{});
  CHECK(report(agent.device)->boot_id() == agent.boot.raw());
  CHECK(row(agent.device)->state == device_state::connected);
  CHECK(row(agent.device)->agent_version == "1.1");
}

TEST_CASE_FIXTURE(fleet_world, "who is not known, revoked, expired or elsewhere is refused") {
  auto agent = enrolled();
  SUBCASE("an unknown device") {
    agent.device = played_agent::random_id<device_id>();
    const auto verdict = hello(agent, session());
    CHECK(verdict.reason == refusal::unknown_device);
    CHECK(verdict.text.find("enrol") != std::string::npos);
  }
  SUBCASE("a known device with another certificate") {
    agent.certificate_sha256[0] ^= 1;
    CHECK(hello(agent, session()).reason == refusal::unknown_device);
  }
  SUBCASE("a revoked device") {
    CHECK(
      ask<bool>(directory_of(agent.device), atom::revoke_v, agent.device, audit("device.revoke")));
    CHECK(hello(agent, session()).reason == refusal::revoked);
  }
  SUBCASE("an expired certificate") {
    now_us += std::chrono::microseconds{net::device_lifetime + 1s}.count();
    CHECK(hello(agent, session()).reason == refusal::expired);
    CHECK(events_of(agent.device, "device.certificate_expired") == 1);
  }
  SUBCASE("another machine") {
    agent.fingerprint.bytes[0] ^= 1;
    CHECK(hello(agent, session()).reason == refusal::identity_in_use);
    CHECK(events_of(agent.device, "device.clone_refused") == 1);
  }
  const auto kept = report(agent.device);
  CHECK((!kept || kept->hello_counter() == 0));
  if (const auto seen = row(agent.device))
    CHECK(seen->state != device_state::connected);
}

TEST_CASE_FIXTURE(fleet_world, "a clone that knocks all day is reported now and then") {
  auto agent = enrolled();
  agent.fingerprint.bytes[0] ^= 1;
  for (int i = 0; i < 30; ++i) {
    CHECK(hello(agent, session()).reason == refusal::identity_in_use);
    pass_time(1min);
  }
  CHECK(events_of(agent.device, "device.clone_refused") == 3);
}

TEST_CASE_FIXTURE(fleet_world, "a new connection of the same boot takes over") {
  auto agent = enrolled();
  const auto first = session();
  const auto second = session();
  CHECK(hello(agent, first).reason == refusal::none);
  CHECK(hello(agent, second).reason == refusal::none);
  CHECK(first->endings == std::vector{session_end::replaced});
  CHECK(first->probes == 0);
  CHECK(second->endings.empty());
  // The first one's farewell is not the second one's.
  leave(agent, first);
  CHECK(row(agent.device)->state == device_state::connected);
  leave(agent, second);
  CHECK(row(agent.device)->state == device_state::idle);
}

TEST_CASE_FIXTURE(fleet_world,
                  "another boot: the old session is asked once, and if it is alive the "
                  "newcomer is refused") {
  auto agent = enrolled();
  const auto first = session(true);
  CHECK(hello(agent, first).reason == refusal::none);
  agent.boot = played_agent::random_id<boot_id>();
  const auto second = session();
  CHECK(hello(agent, second).reason == refusal::identity_in_use);
  CHECK(first->probes == 1);
  CHECK(first->endings.empty());
  CHECK(events_of(agent.device, "device.identity_in_use") == 1);
  CHECK(report(agent.device)->hello_counter() == 1);
  // The record is still the first one's.
  leave(agent, second);
  CHECK(row(agent.device)->state == device_state::connected);
}

TEST_CASE_FIXTURE(fleet_world, "another boot: a silent session is replaced") {
  auto agent = enrolled();
  const auto first = session(false);
  CHECK(hello(agent, first).reason == refusal::none);
  agent.boot = played_agent::random_id<boot_id>();
  const auto second = session();
  CHECK(hello(agent, second).reason == refusal::none);
  CHECK(first->endings == std::vector{session_end::replaced});
  leave(agent, first);
  CHECK(row(agent.device)->state == device_state::connected);
}

TEST_CASE_FIXTURE(fleet_world, "another boot: a session that dies while it is asked counts as "
                               "silent, and so does one that leaves") {
  auto agent = enrolled();
  const auto first = session(std::nullopt);
  CHECK(hello(agent, first).reason == refusal::none);
  agent.boot = played_agent::random_id<boot_id>();
  auto pending = begin_hello(agent, session());
  settle();
  CHECK(first->probes == 1);
  SUBCASE("dies without an answer, as a session dies: saying that it has left") {
    kill(first->handle);
    leave(agent, first);
  }
  SUBCASE("is silent") {
    answer(first, false);
  }
  SUBCASE("leaves, and answers true all the same") {
    leave(agent, first);
    answer(first, true);
  }
  settle();
  const auto verdict = take<admission_ptr>(pending);
  REQUIRE(verdict);
  CHECK((*verdict)->reason == refusal::none);
}

TEST_CASE_FIXTURE(fleet_world, "two newcomers of one device while the old session is asked: they "
                               "are decided one after the other") {
  auto agent = enrolled();
  const auto old = session(std::nullopt);
  CHECK(hello(agent, old).reason == refusal::none);
  agent.boot = played_agent::random_id<boot_id>();
  const auto second = session(true);
  const auto third = session(true);
  auto one = begin_hello(agent, second);
  settle();
  agent.boot = played_agent::random_id<boot_id>();
  auto two = begin_hello(agent, third);
  settle();
  CHECK(old->probes == 1);
  answer(old, false);
  const auto first_answer = take<admission_ptr>(one);
  const auto second_answer = take<admission_ptr>(two);
  REQUIRE(first_answer);
  REQUIRE(second_answer);
  CHECK((*first_answer)->reason == refusal::none);
  // By then the second was the old session, and it is alive.
  CHECK((*second_answer)->reason == refusal::identity_in_use);
  CHECK(second->probes == 1);
  CHECK(old->probes == 1);
}

TEST_CASE_FIXTURE(fleet_world, "a crowd of newcomers of one device is sent away") {
  auto agent = enrolled();
  const auto old = session(std::nullopt);
  CHECK(hello(agent, old).reason == refusal::none);
  agent.boot = played_agent::random_id<boot_id>();
  auto asked = begin_hello(agent, session());
  settle();
  std::vector<decltype(asked)> waiting;
  for (std::size_t i = 0; i < fleet_limits::admissions_waiting_max; ++i)
    waiting.push_back(begin_hello(agent, session()));
  auto late = begin_hello(agent, session());
  settle();
  const auto refused = take<admission_ptr>(late);
  REQUIRE_FALSE(refused);
  CHECK(text_of(refused.error()).find("at once") != std::string::npos);
  answer(old, false);
  // Same boot, growing counters: each takes over from the one before.
  CHECK((*take<admission_ptr>(asked))->reason == refusal::none);
  for (auto& one : waiting)
    CHECK((*take<admission_ptr>(one))->reason == refusal::none);
}

TEST_CASE_FIXTURE(fleet_world, "a newcomer that leaves before it is let in is not the session") {
  auto agent = enrolled();
  const auto first = session();
  auto pending = begin_hello(agent, first);
  self->send(directory_of(agent.device), atom::left_v, agent.device, first->handle.address());
  settle();
  CHECK(take<admission_ptr>(pending));
  CHECK(row(agent.device)->state == device_state::idle);
  CHECK(report(agent.device)->hello_counter() == 1);
}

TEST_CASE_FIXTURE(fleet_world, "a counter that is not above the last one means that the device "
                               "went back") {
  auto agent = enrolled();
  agent.counter = 40;
  auto first = session();
  CHECK(hello(agent, first).reason == refusal::none);
  leave(agent, first);
  agent.counter = 6;
  const auto verdict = hello(agent, session());
  CHECK(verdict.reason == refusal::none);
  CHECK(verdict.went_back);
  CHECK(events_of(agent.device, "device.went_back") == 1);
  const auto kept = report(agent.device);
  CHECK(kept->hello_counter() == 7);
  CHECK(kept->went_back() == 1);
}

TEST_CASE_FIXTURE(fleet_world, "a device that went back asks a live session of its own boot, too") {
  auto agent = enrolled();
  agent.counter = 40;
  const auto first = session(true);
  CHECK(hello(agent, first).reason == refusal::none);
  agent.counter = 6; // two machines from one snapshot
  CHECK(hello(agent, session()).reason == refusal::identity_in_use);
  CHECK(first->probes == 1);
  CHECK(report(agent.device)->hello_counter() == 41);
}

TEST_CASE_FIXTURE(fleet_world, "a machine and its copy do not take turns on one record, not even "
                               "when neither keeps its connection") {
  auto original = enrolled();
  const auto visit = [&](played_agent& who) {
    const auto here = session();
    const auto verdict = hello(who, here);
    leave(who, here);
    return verdict.reason;
  };
  CHECK(visit(original) == refusal::none);
  auto copy = original; // the disk and all that is on it
  copy.boot = played_agent::random_id<boot_id>();
  CHECK(visit(copy) == refusal::none);
  // Once might be a snapshot that somebody went back to.
  CHECK(visit(original) == refusal::none);
  for (int i = 0; i < 5; ++i) {
    CHECK(visit(copy) == refusal::identity_in_use);
    CHECK(visit(original) == refusal::none);
  }
  CHECK(events_of(original.device, "device.identity_in_use") == 1);
  pass_time(2s);
  lose_power();
  CHECK(visit(copy) == refusal::identity_in_use);
  // A boot that nobody has seen is let in: the machine has been started again.
  copy.boot = played_agent::random_id<boot_id>();
  CHECK(visit(copy) == refusal::none);
}

TEST_CASE_FIXTURE(fleet_world,
                  "while the store refuses, nobody is let in, and nothing is forgotten "
                  "or made up") {
  auto agent = enrolled();
  db->fail_writes(storage::errc::disk_full);
  auto pending = begin_hello(agent, session());
  settle();
  const auto verdict = take<admission_ptr>(pending);
  REQUIRE_FALSE(verdict);
  CHECK(is(verdict.error(), storage::errc::disk_full));
  CHECK(row(agent.device)->state == device_state::never);
  db->fail_writes({});
  --agent.counter; // it was never recorded
  const auto again = hello(agent, session());
  CHECK(again.reason == refusal::none);
  CHECK_FALSE(again.went_back);
}

TEST_CASE_FIXTURE(fleet_world, "the counter survives a power loss, so a replayed disk is noticed") {
  auto agent = enrolled();
  agent.counter = 9;
  CHECK(hello(agent, session()).reason == refusal::none);
  pass_time(2s); // facts are synced within a second
  lose_power();
  CHECK(row(agent.device)->state != device_state::connected);
  agent.counter = 9;
  CHECK(hello(agent, session()).went_back);
  agent.counter = 10;
  CHECK_FALSE(hello(agent, session()).went_back);
}

TEST_CASE_FIXTURE(fleet_world, "whoever waits for a decision is told when the directory dies") {
  auto agent = enrolled();
  const auto old = session(std::nullopt);
  CHECK(hello(agent, old).reason == refusal::none);
  agent.boot = played_agent::random_id<boot_id>();
  auto one = begin_hello(agent, session());
  auto two = begin_hello(agent, session());
  settle();
  kill(directory_of(agent.device));
  settle();
  CHECK_FALSE(take<admission_ptr>(one));
  CHECK_FALSE(take<admission_ptr>(two));
}
