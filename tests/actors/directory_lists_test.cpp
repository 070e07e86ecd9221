// Lists, targets, counts, and the writing of contacts.

#include "tests/actors/fleet_world.hpp"

#include <random>
#include <set>

using namespace muster;
using namespace muster::test;

namespace {

using place = std::pair<std::string, device_id>;

struct lists_world : fleet_world {
  std::vector<place> everybody; ///< in order

  /// So many devices in the store, with few different names, and then a start.
  void populate(std::size_t count) {
    std::mt19937_64 random(11);
    storage::change_batch changes;
    for (std::size_t i = 0; i < count; ++i) {
      device_id device;
      for (auto& byte : device.bytes)
        byte = static_cast<std::uint8_t>(random());
      const auto name = (i % 3 == 0   ? "web-"
                         : i % 3 == 1 ? "Desk-"
                                      : "laptop-berlin-number-") +
                        std::to_string(random() % (count / 4));
      storage::record::device identity;
      identity.set_certificate_sha256(std::string(32, 'c'));
      identity.set_fingerprint(std::string(16, static_cast<char>(i % 100)));
      identity.set_host_name(name);
      storage::record::device_report report;
      report.set_boot_id(std::string(16, 'b'));
      report.set_os_id(i % 5 == 0 ? "ubuntu" : "debian");
      report.set_last_contact_ms(i % 7 == 0 ? 0 : now_us / 1000 - 60'000);
      changes.push_back(storage::put(family::devices, storage::keys::device(device.bytes),
                                     storage::records::encode(identity)));
      changes.push_back(storage::put(family::devices, storage::keys::device_report(device.bytes),
                                     storage::records::encode(report)));
      everybody.emplace_back(name, device);
    }
    REQUIRE_FALSE(db->write_sync({&changes, 1}));
    std::sort(everybody.begin(), everybody.end());
    kill_all();
    start();
  }

  device_page_ptr page(std::size_t shard, std::string target, const place& after,
                       std::uint32_t limit, bool count = true) {
    auto query = std::make_shared<device_query>();
    query->target = std::move(target);
    query->after_name = after.first;
    query->after_device = after.second;
    query->limit = limit;
    query->count = count;
    return ask<device_page_ptr>(directories[shard], atom::list_v, device_query_ptr{query});
  }

  /// All pages of a shard, one after the other.
  std::vector<place> walk(std::size_t shard, const std::string& target, std::uint32_t limit,
                          bool count = true) {
    std::vector<place> out;
    place after;
    for (;;) {
      const auto rows = page(shard, target, after, limit, count)->rows;
      CHECK(rows.size() <= limit);
      for (const auto& row : rows)
        out.emplace_back(row.name, row.device);
      if (rows.empty())
        return out;
      after = out.back();
    }
  }

  std::vector<place> everybody_in(std::size_t shard, const std::string& prefix = "") const {
    std::vector<place> out;
    std::copy_if(
      everybody.begin(), everybody.end(), std::back_inserter(out), [&](const place& one) {
        return rules::shard_of(one.second, shards) == shard && one.first.starts_with(prefix);
      });
    return out;
  }
};

} // namespace

TEST_CASE_FIXTURE(lists_world, "pages have everybody once, in order, whatever their size") {
  populate(3000);
  for (std::size_t shard = 0; shard < shards; ++shard) {
    const auto expected = everybody_in(shard);
    REQUIRE(expected.size() > 1000);
    for (const std::uint32_t limit : {1U, 7U, 100U, 1000U})
      CHECK(walk(shard, "", limit) == expected);
    CHECK(walk(shard, "web-*", 97) == everybody_in(shard, "web-"));
    CHECK(walk(shard, "DESK-*", 97) == everybody_in(shard, "Desk-"));
    CHECK(walk(shard, "web-*", 97, false) == everybody_in(shard, "web-"));
  }
}

TEST_CASE_FIXTURE(lists_world, "every place can be a cursor, also one where nobody is any more") {
  populate(2000);
  const auto expected = everybody_in(0);
  for (std::size_t i = 0; i < expected.size(); ++i) {
    const auto plain = page(0, "", expected[i], 1)->rows;
    const auto filtered = page(0, "*", expected[i], 1)->rows;
    REQUIRE(plain.size() == (i + 1 < expected.size() ? 1 : 0));
    REQUIRE(filtered.size() == plain.size());
    if (!plain.empty()) {
      REQUIRE(plain.front().device == expected[i + 1].second);
      REQUIRE(filtered.front().device == expected[i + 1].second);
    }
  }
  auto gone = expected[10];
  CHECK(ask<bool>(directories[0], atom::remove_v, gone.second, audit("device.remove")));
  CHECK(page(0, "", gone, 1)->rows.front().device == expected[11].second);
}

TEST_CASE_FIXTURE(lists_world, "a page says how many match beyond it, before and behind") {
  populate(9000); // more than one slice
  const auto all = everybody_in(1);
  const auto web = everybody_in(1, "web-");
  REQUIRE(all.size() > fleet_limits::list_slice);
  CHECK(page(1, "", {}, 10)->matching == all.size());
  CHECK(page(1, "", all.back(), 10)->matching == all.size());
  CHECK(page(1, "web-*", {}, 10)->matching == web.size());
  CHECK(page(1, "web-*", web[web.size() / 2], 10)->matching == web.size());
  CHECK(page(1, "web-* os:ubuntu", {}, 10)->matching +
          page(1, "web-* os:debian", {}, 10)->matching ==
        web.size());
  CHECK(page(1, "state:never", {}, 10)->matching + page(1, "state:unknown", {}, 10)->matching ==
        all.size());
  const auto& one = all[77];
  const auto found = page(1, "id:" + one.second.text(), {}, 10);
  REQUIRE(found->rows.size() == 1);
  CHECK(found->rows.front().name == one.first);
  CHECK(page(1, "state:connected,silent", {}, 10)->matching == 0);
}

TEST_CASE_FIXTURE(lists_world, "when nobody asks how many match, a page costs a look at its own devices only") {
  populate(9000);
  const auto all = everybody_in(1);
  const auto steps_of = [&](const place& after, bool count) {
    auto query = std::make_shared<device_query>();
    query->target = "state:never,unknown";
    query->after_name = after.first;
    query->after_device = after.second;
    query->limit = 10;
    query->count = count;
    auto pending = begin_ask(directories[1], atom::list_v, device_query_ptr{query});
    const auto steps = settle();
    CHECK(take<device_page_ptr>(pending)->get()->rows.size() == 10);
    return steps;
  };
  CHECK(steps_of(all[all.size() - 20], false) < steps_of(all[all.size() - 20], true));
  CHECK(steps_of({}, false) < steps_of({}, true));
}

TEST_CASE_FIXTURE(lists_world, "a long list leaves room for others, who are answered before it") {
  populate(9000);
  auto query = std::make_shared<device_query>();
  query->target = "web-*";
  auto slow = begin_ask(directories[1], atom::list_v, device_query_ptr{query});
  auto quick = begin_ask(directories[1], atom::find_v, everybody_in(1).front().second);
  while (!self->has_next_message() && sched.try_run_once()) {
  }
  CHECK(take<device_page_ptr>(quick));
  CHECK_FALSE(self->has_next_message());
  settle();
  CHECK(take<device_page_ptr>(slow));
}

TEST_CASE_FIXTURE(lists_world, "a list goes on while devices come, go and change their names") {
  populate(9000);
  auto query = std::make_shared<device_query>();
  query->target = "web-*";
  query->limit = 1000;
  auto slow = begin_ask(directories[1], atom::list_v, device_query_ptr{query});
  const auto all = everybody_in(1);
  for (std::size_t i = 0; i < 200; ++i) {
    auto change = std::make_shared<sync_outcome>();
    change->device = all[i * 13].second;
    change->digests[0] = {1};
    change->host_name = "aaa-" + std::to_string(i); // everybody else moves on
    self->send(directories[1], atom::synced_v, sync_outcome_ptr{change});
  }
  settle();
  const auto answer = take<device_page_ptr>(slow);
  REQUIRE(answer);
  std::set<device_id> seen;
  for (const auto& row : (*answer)->rows) {
    CHECK(row.name.starts_with("web-"));
    CHECK(seen.insert(row.device).second);
  }
  // Whoever kept the name is there.
  const auto web = everybody_in(1, "web-");
  for (const auto& [name, device] : web) {
    const bool renamed = row(device)->name != name;
    if (!renamed && seen.size() < 1000)
      CHECK(seen.contains(device));
  }
}

TEST_CASE_FIXTURE(lists_world, "too many lists at once are refused, and too long ones cut") {
  populate(9000);
  auto query = std::make_shared<device_query>();
  query->target = "web-*";
  query->limit = 1'000'000;
  auto first = begin_ask(directories[1], atom::list_v, device_query_ptr{query});
  std::vector<decltype(first)> all;
  for (std::size_t i = 0; i < fleet_limits::lists_max; ++i)
    all.push_back(begin_ask(directories[1], atom::list_v, device_query_ptr{query}));
  settle();
  const auto page = take<device_page_ptr>(first);
  REQUIRE(page);
  CHECK((*page)->rows.size() == fleet_limits::list_rows_max);
  std::size_t refused = 0;
  for (auto& one : all)
    refused += take<device_page_ptr>(one) ? 0 : 1;
  CHECK(refused == 1);
}

TEST_CASE_FIXTURE(lists_world, "a target that is none is an error with a sentence") {
  auto query = std::make_shared<device_query>();
  query->target = "colour:red";
  const auto answer =
    try_ask<device_page_ptr>(directories[0], atom::list_v, device_query_ptr{query});
  REQUIRE_FALSE(answer);
  CHECK(text_of(answer.error()).find("colour") != std::string::npos);
}

TEST_CASE_FIXTURE(lists_world, "counts by state add up, and follow sessions and time") {
  populate(9000);
  std::array<std::uint64_t, 7> sum{};
  std::uint64_t total = 0;
  const auto look = [&] {
    sum = {};
    total = 0;
    for (const auto& one : directories) {
      const auto counts = ask<device_counts>(one, atom::count_v);
      total += counts.total;
      for (std::size_t i = 0; i < sum.size(); ++i)
        sum[i] += counts.by_state[i];
    }
  };
  const auto of = [&](device_state state) { return sum[static_cast<std::size_t>(state)]; };
  look();
  CHECK(total == 9000);
  CHECK(of(device_state::never) == 9000 / 7 + 1);
  // Not seen since this server started, as its last contacts may be any time ago.
  CHECK(of(device_state::unknown) == 9000 - of(device_state::never));
  auto agent = enrolled();
  CHECK(hello(agent, session()).reason == refusal::none);
  look();
  CHECK(total == 9001);
  CHECK(of(device_state::connected) == 1);
  CHECK(
    ask<bool>(directory_of(agent.device), atom::revoke_v, agent.device, audit("device.revoke")));
  pass_time(2h);
  look();
  CHECK(of(device_state::revoked) == 1);
  CHECK(of(device_state::unknown) == 0);
  CHECK(of(device_state::silent) == 9000 - of(device_state::never));
}

TEST_CASE_FIXTURE(lists_world,
                  "devices of one machine are shown as such, in whatever shard they are") {
  const auto one = enrolled("mill", 7);
  CHECK_FALSE(row(one.device)->same_machine);
  auto two = enrolled("mill", 7);
  for (int i = 0; i < 20 && &directory_of(two.device) == &directory_of(one.device); ++i)
    two = enrolled("mill", 7);
  CHECK(&directory_of(two.device) != &directory_of(one.device));
  CHECK(one.device != two.device);
  CHECK(row(one.device)->same_machine);
  CHECK(row(two.device)->same_machine);
  CHECK(events_of(two.device, "device.enrolled") == 1);
  lose_power();
  CHECK(row(one.device)->same_machine);
  const auto lone = enrolled("saw", 8);
  CHECK_FALSE(row(lone.device)->same_machine);
}

// -- traces
// -----------------------------------------------------------------------------------------

TEST_CASE_FIXTURE(lists_world, "contacts are written by a coarse tick, each device once") {
  auto agent = enrolled();
  CHECK(hello(agent, session()).reason == refusal::none);
  pass_time(6s);
  const auto writes = db->writes();
  for (int i = 0; i < 100; ++i) {
    now_us += 1000;
    self->send(directory_of(agent.device), atom::contact_v, agent.device);
  }
  settle();
  CHECK(db->writes() == writes);
  CHECK(row(agent.device)->last_contact_us == now_us / 1000 * 1000);
  const auto at = now_us / 1000;
  pass_time(6s);
  CHECK(db->writes() == writes + 1);
  CHECK(report(agent.device)->last_contact_ms() == at);
  pass_time(1min);
  CHECK(db->writes() == writes + 1);
}

TEST_CASE_FIXTURE(lists_world,
                  "many contacts are written in slices, and what is left when the disk "
                  "is full is written later") {
  populate(3000);
  const auto touch_all = [&] {
    for (const auto& [name, device] : everybody)
      self->send(directory_of(device), atom::contact_v, device);
    settle();
  };
  const auto written = [&] {
    return static_cast<std::size_t>(
      std::count_if(everybody.begin(), everybody.end(), [&](const place& one) {
        return report(one.second)->last_contact_ms() == now_us / 1000;
      }));
  };
  touch_all();
  CHECK(written() == 0);
  db->fail_writes(storage::errc::disk_full);
  pass(6s);
  CHECK(written() == 0);
  db->fail_writes({});
  pass(6s);
  CHECK(written() == everybody.size());
  // The shards' slices share commits.
  CHECK(db->writes() >= everybody.size() / shards / fleet_limits::trace_slice);
}

TEST_CASE_FIXTURE(lists_world, "a stop writes what has not been written yet") {
  auto agent = enrolled();
  CHECK(hello(agent, session()).reason == refusal::none);
  now_us += 9'000'000;
  self->send(directory_of(agent.device), atom::contact_v, agent.device);
  settle();
  CHECK(report(agent.device)->last_contact_ms() != now_us / 1000);
  for (const auto& one : directories)
    stop(one);
  CHECK(report(agent.device)->last_contact_ms() == now_us / 1000);
}
