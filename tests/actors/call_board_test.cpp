// Calls to many devices: found, paced, watched, remembered.

#include "tests/actors/call_board_world.hpp"

#include <doctest/doctest.h>

#include <set>

using namespace muster;
using namespace muster::actors;
using namespace std::chrono_literals;
using test::call_board_world;

namespace {

constexpr auto turn = call_limits::turn_period;
constexpr auto per_turn = call_limits::devices_per_turn;

} // namespace

// -- beginning ------------------------------------------------------------------------------------

TEST_CASE_FIXTURE(call_board_world, "a call reaches every device of its target once, with kind, number and watcher") {
  enrol_many(40);
  const auto call = give("*", call_kind::keep_on);
  CHECK(call != 0);
  REQUIRE(fleet->calls.size() == 40);
  std::set<device_id> devices;
  for (const auto& one : fleet->calls) {
    CHECK(one.call == call);
    CHECK(one.kind == call_kind::keep_on);
    CHECK(one.watcher.address() == board.address());
    devices.insert(one.device);
  }
  CHECK(devices.size() == 40);
  const auto report = look(call);
  CHECK(report.devices == 40);
  CHECK_FALSE(report.selecting);
  CHECK(report.finished_us == 0);
  CHECK(report.order.target == "*");
  REQUIRE(report.rows.size() == 40);
  for (std::size_t i = 0; i < 40; ++i)
    CHECK(report.rows[i].device_name == (i < 10 ? "host-0000" : "host-000") + std::to_string(i));
}

TEST_CASE_FIXTURE(call_board_world, "devices of many pages come as one list by name, whatever their shards") {
  enrol_many(7'500); // more than two pages of each shard
  for (int i = 0; i < 1'500; ++i)
    fleet->shards[1].push_back({"zoo", enrol("host-x")}); // some share a name; all in one shard
  for (auto& shard : fleet->shards)
    std::sort(shard.begin(), shard.end(), [](const auto& a, const auto& b) {
      return std::tie(a.name, a.device) < std::tie(b.name, b.device);
    });
  const auto call = give();
  const auto report = look(call, 0);
  CHECK(report.devices == 9'000); // those with two names are there once
  std::string before;
  std::uint32_t next = 0;
  std::size_t rows = 0;
  do {
    const auto page = look(call, 1'000, {}, next);
    for (const auto& row : page.rows) {
      CHECK(row.device_name >= before);
      before = row.device_name;
    }
    rows += page.rows.size();
    next = page.next_offset;
  } while (next != 0);
  CHECK(rows == 9'000);
}

TEST_CASE_FIXTURE(call_board_world, "the audit entry is on the disk before anybody is called; without it nobody is") {
  enrol_many(3);
  const auto call = give("host-00001");
  storage::audit_page page;
  REQUIRE_FALSE(storage::find_audits(db, {.limit = 10}, page));
  REQUIRE(page.entries.size() == 1);
  CHECK(page.entries[0].actor() == "anna");
  CHECK(page.entries[0].action() == "call.sync");
  CHECK(page.entries[0].subject() == "host-00001");
  CHECK(page.entries[0].detail() == "call " + std::to_string(call));
  CHECK(fleet->calls.size() == 1);

  db.fail_next_writes(1, make_error_code(storage::errc::disk_full));
  CHECK_FALSE(try_ask<call_report_ptr>(board, atom::create_v, order()));
  CHECK(fleet->calls.size() == 1);
  CHECK(calls().size() == 1);
}

TEST_CASE_FIXTURE(call_board_world, "what is no target is refused, and a target that nobody is has an end at once") {
  for (const auto* target : {"", "   ", "stat:idle", "state:asleep"}) {
    const auto answer = try_ask<call_report_ptr>(board, atom::create_v, order(target));
    REQUIRE_FALSE(answer);
    CHECK(answer.error() == make_error(errc::invalid, ""));
  }
  CHECK(fleet->lists == 0);
  const auto report = look(give("nobody"));
  CHECK(report.devices == 0);
  CHECK(report.finished_us != 0);
  CHECK(report.problem.empty());
}

TEST_CASE_FIXTURE(call_board_world, "when the directory cannot be read nobody is called, and the call says why") {
  enrol_many(10);
  fleet->refuses_lists = "too many lists at once";
  const auto report = look(give());
  CHECK(report.problem.find("too many lists at once") != std::string::npos);
  CHECK(report.devices == 0);
  CHECK(report.finished_us != 0);
  CHECK(fleet->calls.empty());
}

// -- pace -----------------------------------------------------------------------------------------

TEST_CASE_FIXTURE(call_board_world, "many devices are called at a pace, and the rest waits its turn") {
  enrol_many(1'050);
  const auto call = give();
  CHECK(fleet->calls.size() == per_turn);
  CHECK(count(look(call, 0), call_step::waiting) == 1'050);
  for (std::size_t turns = 2; turns <= 10; ++turns) {
    pass(turn);
    CHECK(fleet->calls.size() == turns * per_turn);
  }
  pass(turn);
  CHECK(fleet->calls.size() == 1'050);
  pass(1min);
  CHECK(fleet->calls.size() == 1'050);
}

TEST_CASE_FIXTURE(call_board_world, "a pause saves up no burst, and one call more is no turn more") {
  enrol_many(500);
  pass(1h);
  const auto first = give();
  CHECK(fleet->calls.size() == per_turn);
  const auto second = give();
  CHECK(fleet->calls.size() == per_turn);
  pass(turn);
  CHECK(fleet->calls.size() == 2 * per_turn);
  turns(8);
  CHECK(fleet->calls.size() == 10 * per_turn); // two calls to 500
  CHECK(look(first, 0).devices == 500);
  CHECK(look(second, 0).devices == 500);
}

TEST_CASE_FIXTURE(call_board_world, "one device does not wait behind a call to the whole fleet") {
  enrol_many(5'000);
  const auto alone = enrol("zebra");
  give();
  const auto call = give("zebra");
  pass(turn);
  const auto mine = std::find_if(fleet->calls.begin(), fleet->calls.end(),
                                 [&](const auto& one) { return one.call == call; });
  REQUIRE(mine != fleet->calls.end());
  CHECK(mine->device == alone);
}

TEST_CASE_FIXTURE(call_board_world, "no more are called at once than can be waited for; answers make room") {
  enrol_many(call_limits::outstanding_max + 500);
  const auto call = give();
  turns(call_limits::outstanding_max / call_limits::devices_per_turn + 20);
  REQUIRE(fleet->calls.size() == call_limits::outstanding_max);
  const auto called = fleet->calls;
  fleet->calls.erase(fleet->calls.begin(), fleet->calls.begin() + 7);
  for (std::size_t i = 0; i < 7; ++i)
    say(call, called[i].device, i % 2 == 0 ? call_step::queued : call_step::done);
  say(call, called[8].device, call_step::waking); // still to be waited for
  pass(turn);
  CHECK(fleet->calls.size() == call_limits::outstanding_max);
  finish_all();
  turns(10);
  finish_all();
  const auto report = look(call, 0);
  CHECK(count(report, call_step::queued) == 4);
  CHECK(count(report, call_step::done) == call_limits::outstanding_max + 496);
  CHECK(report.finished_us != 0);
}

TEST_CASE_FIXTURE(call_board_world, "a device of which nothing is heard is given up in the end, and its place is free") {
  enrol_many(2);
  const auto call = give();
  say(call, fleet->calls[0].device, call_step::asked);
  pass(call_limits::heard_of_within - 1min);
  CHECK(look(call).finished_us == 0);
  say(call, fleet->calls[1].device, call_step::asked); // heard of
  pass(2min);
  auto report = look(call);
  CHECK(count(report, call_step::failed) == 1);
  CHECK(count(report, call_step::asked) == 1);
  REQUIRE(report.rows.size() == 2);
  CHECK(report.rows[0].text == "nothing was heard of it within 20 minutes");
  pass(call_limits::heard_of_within);
  report = look(call);
  CHECK(count(report, call_step::failed) == 2);
  CHECK(report.finished_us == now_us());
}

// -- progress -------------------------------------------------------------------------------------

TEST_CASE_FIXTURE(call_board_world, "a call is over when everybody is queued or at an end; late news still count") {
  enrol_many(3);
  const auto call = give();
  const auto called = fleet->calls;
  say(call, called[0].device, call_step::asked);
  pass(80ms);
  say(call, called[0].device, call_step::done);
  say(call, called[1].device, call_step::failed, "it has been removed");
  CHECK(look(call).finished_us == 0);
  say(call, called[2].device, call_step::queued, "no answer to 4 wakes", now_us() + 60'000'000);
  auto report = look(call);
  const auto finished = report.finished_us;
  CHECK(finished == now_us());
  CHECK(report.rows[0].at_us - report.created_us == 80'000);
  CHECK(report.rows[1].text == "it has been removed");
  CHECK(report.rows[1].device_name == "host-00001"); // although nobody has that name any more
  CHECK(report.rows[2].until_us >= now_us() + 59'000'000);
  pass(1min);
  say(call, called[2].device, call_step::asked);
  say(call, called[2].device, call_step::done);
  report = look(call);
  CHECK(count(report, call_step::done) == 2);
  CHECK(report.finished_us == finished);
}

TEST_CASE_FIXTURE(call_board_world, "news of a call that is unknown or forgotten, and news said twice, change nothing") {
  enrol_many(1);
  const auto call = give();
  const auto device = fleet->calls[0].device;
  say(call + 5, device, call_step::done);
  say(0, device, call_step::done);
  CHECK(count(look(call), call_step::waiting) == 1);
  say(call, device, call_step::done);
  say(call, device, call_step::done);
  say(call, device, call_step::failed);
  CHECK(count(look(call), call_step::done) == 1);
  const auto text = *ask<metrics_text>(board, atom::metrics_v);
  CHECK(text.find("muster_call_devices_ended_total{end=\"done\"} 1\n") != std::string::npos);
  CHECK(text.find("muster_call_devices_ended_total{end=\"failed\"} 0\n") != std::string::npos);
  CHECK(text.find("muster_calls_total 1\n") != std::string::npos);
  CHECK(text.find("muster_call_devices_called 0\n") != std::string::npos);
  pass(25h);
  CHECK(look(call).call == 0);
  say(call, device, call_step::done);
  CHECK(calls().empty());
}

TEST_CASE_FIXTURE(call_board_world, "rows can be had by step, from the first to the last") {
  enrol_many(60);
  const auto call = give();
  for (std::size_t i = 0; i < fleet->calls.size(); i += 2)
    say(call, fleet->calls[i].device, call_step::failed);
  const auto first = look(call, 20, call_step::failed);
  REQUIRE(first.rows.size() == 20);
  const auto second = look(call, 20, call_step::failed, first.next_offset);
  CHECK(second.rows.size() == 10);
  CHECK(second.next_offset == 0);
  CHECK(first.rows.back().device_name < second.rows.front().device_name);
  CHECK(look(call, 20, call_step::queued).rows.empty());
}

// -- remembering ----------------------------------------------------------------------------------

TEST_CASE_FIXTURE(call_board_world, "calls are listed newest first, and have numbers that are never used again") {
  enrol_many(2);
  std::set<std::uint64_t> numbers;
  for (int i = 0; i < 5; ++i)
    numbers.insert(give("host-00000"));
  CHECK(numbers.size() == 5);
  const auto all = calls();
  REQUIRE(all.size() == 5);
  for (std::size_t i = 1; i < all.size(); ++i)
    CHECK(all[i - 1]->call > all[i]->call);
  CHECK(all[0]->rows.empty());
  // A later start, whose board knows nothing of this one.
  pass(10s);
  board = make_board();
  CHECK_FALSE(numbers.contains(give("host-00000")));
  CHECK(look(*numbers.begin()).call == 0);
}

TEST_CASE_FIXTURE(call_board_world, "newer calls take the room of those that are over, never of those under way") {
  enrol_many(1);
  const auto under_way = give("host-00000");
  const auto over = give("nobody");
  std::uint64_t last = 0;
  for (std::size_t i = 2; i < call_limits::calls_max; ++i)
    last = give("host-00000");
  CHECK(calls().size() == call_limits::calls_max);
  const auto one_more = give("host-00000");
  CHECK(look(over).call == 0);
  CHECK(look(under_way).call == under_way);
  const auto refused = try_ask<call_report_ptr>(board, atom::create_v, order());
  REQUIRE_FALSE(refused);
  CHECK(refused.error() == make_error(errc::overloaded, ""));
  pass(1min); // all have had their turn
  say(last, fleet->calls[0].device, call_step::done);
  CHECK(give("host-00000") > one_more);
  CHECK(look(last).call == 0);
}

TEST_CASE_FIXTURE(call_board_world, "a day later a call is forgotten, when nothing is to come of it any more") {
  enrol_many(2);
  const auto over = give("host-00000");
  const auto queued = give("host-00001");
  say(over, fleet->calls[0].device, call_step::done);
  say(queued, fleet->calls[1].device, call_step::waking);
  pass(23h);
  CHECK(calls().size() == 2);
  pass(2h);
  CHECK(look(over).call == 0);
}
