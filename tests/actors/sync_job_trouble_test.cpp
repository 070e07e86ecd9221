// Syncs in trouble: slow agents, storms, full disks, deaths, two at once.
#include "storage/errc.hpp"
#include "tests/actors/session_world.hpp"

#include <caf/exit_reason.hpp>

using namespace muster;
using namespace muster::test;
using namespace std::chrono_literals;

namespace {

using names = std::vector<std::string>;

} // namespace

// -- time, memory, deaths -------------------------------------------------------------------------

TEST_CASE_FIXTURE(
  sync_world, "thirty seconds of silence in the middle of a sync end it; a part postpones that") {
  const auto machine = facts("mill");
  auto at = begin({machine.digest});
  pass(29s);
  say(at, chunk(0, machine.digest, machine.packed.substr(0, 4), false));
  pass(29s);
  CHECK_FALSE(at.link->closed);
  pass(1s);
  check_busy(at);
  CHECK(children_alive() == 0);
}

TEST_CASE_FIXTURE(sync_world, "an agent that dribbles is sent away in the end") {
  auto at = begin_facts();
  say(at, chunk(0, facts("mill").digest, std::string("\x28\xb5\x2f\xfd\x00\x58", 6), false));
  auto passed = 0s;
  while (!at.link->closed && passed < 1h) {
    say(at, chunk(0, facts("mill").digest, std::string("\x08\x00\x00z", 4), false));
    pass(20s);
    passed += 20s;
  }
  CHECK(passed <= session_limits::sync_max + session_limits::sync_silence_max);
  check_busy(at);
}

TEST_CASE_FIXTURE(sync_world,
                  "a storm of syncs cannot hold more than its share; who is too much comes back") {
  services->syncs = std::make_shared<sync_ledger>(session_limits::sync_first_share_bytes * 2);
  const auto machine = facts("mill");
  auto first = begin({machine.digest});
  auto second = begin({machine.digest});
  auto third = connect();
  say(third, hello({machine.digest}));
  check_busy(third);
  auto kept = welcome(); // nothing to sync: no share needed
  say(kept, sync_request({machine.digest}));
  check_busy(kept);
  say(first, chunk(0, machine));
  CHECK(first.link->last() == says::kSyncDone);
  auto fourth = begin({machine.digest});
  CHECK(alive(second.session));
}

TEST_CASE_FIXTURE(sync_world,
                  "a section larger than what is left of the share is sent away, not refused") {
  services->syncs = std::make_shared<sync_ledger>(session_limits::sync_first_share_bytes);
  const auto huge = content{std::string(session_limits::sync_first_share_bytes + 1, 'x')};
  auto at = begin({section_digest{}, huge.digest});
  say(at, chunk(1, huge));
  check_busy(at);
  CHECK(services->syncs->bytes_held() == 0);
}

TEST_CASE_FIXTURE(sync_world, "a full disk sends the agent away; the next sync starts over") {
  db.fail_writes(storage::errc::disk_full);
  const auto machine = facts("mill");
  auto at = begin({machine.digest});
  say(at, chunk(0, machine));
  check_busy(at);
  CHECK(at.link->count(says::kSyncDone) == 0);
  CHECK(outcomes.empty());
  db.fail_writes({});
  auto again = begin({machine.digest});
  say(again, chunk(0, machine));
  CHECK(again.link->last() == says::kSyncDone);
}

TEST_CASE_FIXTURE(sync_world, "a store that cannot be read sends the agent away") {
  db.fail_reads(storage::errc::io_error);
  const auto installed = applications({"bash"});
  auto at = begin({section_digest{}, installed.digest});
  say(at, chunk(1, installed));
  check_busy(at);
}

TEST_CASE_FIXTURE(sync_world, "a broken old list does not keep the new one out") {
  std::vector<storage::change_batch> batches{{storage::put(
    storage::family::inventory, storage::keys::section(mill.bytes, 2), "not a record")}};
  REQUIRE_FALSE(db.write(batches));
  sync_applications({"bash"});
  CHECK(indexed() == names{"bash"});
}

TEST_CASE_FIXTURE(sync_world, "a job that dies in any handler ends only its own connection") {
  auto bystander = welcome();
  const auto machine = facts("mill");
  SUBCASE("killed") {
    auto at = begin({machine.digest});
    caf::anon_send_exit(adopted[0], caf::exit_reason::kill);
    settle();
    check_busy(at);
  }
  SUBCASE("taking over a part") {
    auto at = begin({machine.digest});
    clock_breaks = true;
    say(at, chunk(0, machine));
    check_busy(at);
  }
  SUBCASE("planning") {
    auto at = welcome();
    clock_breaks = true; // the report of an empty plan has a time
    say(at, sync_request());
    check_busy(at);
  }
  SUBCASE("reporting") {
    auto at = begin({machine.digest});
    db.on_sync({});
    at.link->deliver(chunk(0, machine).SerializeAsString());
    // The chunk is taken over; the clock breaks before the report.
    while (!has_section(1) && sched.try_run_once()) {
    }
    clock_breaks = true;
    settle();
    CHECK(outcomes.size() == 1); // the bystander's
    check_busy(at);
  }
  clock_breaks = false;
  CHECK(children_alive() == 0);
  CHECK(services->syncs->bytes_held() == 0);
  CHECK(alive(bystander.session));
  wire::agent_message pong;
  pong.mutable_pong();
  say(bystander, pong);
  CHECK_FALSE(bystander.link->closed);
}

TEST_CASE_FIXTURE(sync_world, "a job ends with its session, however that ends") {
  SUBCASE("the link ends") {
    auto at = begin_facts();
    at.link->end();
    settle();
  }
  SUBCASE("the session is killed") {
    auto at = begin_facts();
    caf::anon_send_exit(at.session, caf::exit_reason::kill);
    settle();
  }
  SUBCASE("a stop") {
    auto at = begin_facts();
    stop(at.session);
    CHECK(at.link->last() == says::kGoodbye);
  }
  CHECK(adopted.size() == 1);
  CHECK(children_alive() == 0);
}

TEST_CASE_FIXTURE(sync_world, "a stop of the job itself sends the agent away") {
  auto at = begin_facts();
  stop(adopted[0]);
  check_busy(at);
}

TEST_CASE_FIXTURE(sync_world,
                  "a change that an earlier connection left with a slow writer counts as stored") {
  sync_applications({"bash"});
  const auto older = applications({"bash", "old"});
  const auto newer = applications({"bash", "new"});
  auto first = begin({section_digest{}, older.digest});
  auto second = begin({section_digest{}, newer.digest});
  first.link->deliver(chunk(1, older).SerializeAsString());
  const auto writes = db.writes();
  while (db.writes() == writes && sched.try_run_once()) {
  }
  slow = true; // everything before the change itself is done
  settle();
  first.link->end();
  settle();
  CHECK(children_alive() == 1);
  say(second, chunk(1, newer));
  CHECK(indexed() == names{"bash"});
  hurry();
  CHECK(second.link->last() == says::kSyncDone);
  CHECK(indexed() == names{"bash", "new"});
}

TEST_CASE_FIXTURE(sync_world, "of two that store at once for one device, the later is sent away") {
  const auto older = applications({"bash", "old"});
  const auto newer = applications({"bash", "new"});
  auto first = begin({section_digest{}, older.digest});
  auto second = begin({section_digest{}, newer.digest});
  first.link->deliver(chunk(1, older).SerializeAsString());
  second.link->deliver(chunk(1, newer).SerializeAsString());
  settle();
  CHECK(first.link->last() == says::kSyncDone);
  check_busy(second);
  CHECK(indexed() == names{"bash", "old"});
}
