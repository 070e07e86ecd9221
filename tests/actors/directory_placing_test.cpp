// The rules that move devices: newcomers, those who change, and all whom an administrator means.

#include "tests/actors/order_world.hpp"

using namespace muster;
using namespace muster::test;
using rules::moving_trait;

namespace {

struct placing_world : order_world {
  placement_report place(const std::string& target, bool dry_run = false) {
    placement_report out;
    for (const auto& shard : directories) {
      auto what = std::make_shared<placement_order>();
      what->target = target;
      what->dry_run = dry_run;
      what->who = {"anna", "198.51.100.1", {}, {}, {}};
      const auto report =
        ask<placement_report_ptr>(shard, atom::place_v, placement_order_ptr{what});
      out.looked_at += report->looked_at;
      out.moved += report->moved;
      out.moves.insert(out.moves.end(), report->moves.begin(), report->moves.end());
    }
    return out;
  }
};

} // namespace

// -- rules for newcomers --------------------------------------------------------------------------

TEST_CASE_FIXTURE(placing_world, "a new device goes where the first rule that holds sends it, before its "
                                "enrolment is answered") {
  rule("by token", {{moving_trait::token, "web*"}}, "web");
  rule("by source", {{moving_trait::source, "192.0.2.0/24"}, {moving_trait::name, "db-*"}}, "db");
  publish();
  auto web = enrol_with("web servers", {}, "db-1");
  CHECK(path_of(web.device) == "web");
  auto db1 = enrol_with("t", {}, "db-1");
  CHECK(path_of(db1.device) == "db");
  auto none = enrol_with("t", {}, "mill");
  CHECK(path_of(none.device) == "unassigned");
  const auto moves = audit_of("device.move");
  REQUIRE(moves.size() == 2);
  CHECK(moves[0].actor() == "rule by token");
  CHECK(moves[0].subject() == web.device.text());
  CHECK(moves[0].detail() == "from /unassigned to /web");
  pass_time(1s);
  CHECK(events_of(db1.device, "device.moved") == 1);
  CHECK(events_of(none.device, "device.moved") == 0);
}

TEST_CASE_FIXTURE(placing_world, "what a device claims counts once: when its first facts are there") {
  rule("by application", {{moving_trait::application, "nginx"}}, "web");
  rule("by os", {{moving_trait::os, "debian"}}, "debian").permanent = true;
  rule("by address", {{moving_trait::address, "10.0.0.0/8"}}, "inside");
  publish();
  auto agent = enrolled();
  CHECK(path_of(agent.device) == "unassigned");
  first_sync(agent, {"mill", "fedora", {"bash", "nginx"}, {}});
  CHECK(path_of(agent.device) == "web");
  CHECK(stored_assignment(agent.device)->settled());
  facts_sync(agent, "other", "debian", {"10.0.0.1"}); // now it says so, and even a permanent rule
  CHECK(path_of(agent.device) == "web");              // does not believe it
  auto inside = enrolled();
  first_sync(inside, {"mill", "fedora", {}, {"192.0.2.9", "10.1.2.3"}});
  CHECK(path_of(inside.device) == "inside");
  auto none = enrolled();
  first_sync(none, {"mill", "fedora", {}, {}});
  CHECK(path_of(none.device) == "unassigned");
  CHECK(stored_assignment(none.device)->settled());
  facts_sync(none, "mill", "debian");
  CHECK(path_of(none.device) == "unassigned");
}

TEST_CASE_FIXTURE(placing_world, "facts that came before the rules, or before the server ended, are looked at in "
                                "the next sync") {
  rule("by application", {{moving_trait::application, "nginx"}}, "web");
  auto agent = enrolled();
  first_sync(agent, {"mill", "debian", {"nginx"}, {}}); // nobody knows the rules yet
  CHECK_FALSE(stored_assignment(agent.device));
  lose_power(); // facts may be gone, too
  first_sync(agent, {"mill", "debian", {"nginx"}, {}});
  publish();
  CHECK(path_of(agent.device) == "unassigned");
  sync(agent, 0); // an idle one: what it claims is read from the store
  CHECK(path_of(agent.device) == "web");
}

TEST_CASE_FIXTURE(placing_world, "a move that the store does not take is made up with the next sync") {
  rule("by name", {{moving_trait::name, "web-*"}}, "web");
  publish();
  auto agent = enrolled();
  db->fail_writes(storage::errc::disk_full);
  facts_sync(agent, "web-1");
  db->fail_writes({});
  CHECK(path_of(agent.device) == "unassigned");
  sync(agent, 0);
  CHECK(path_of(agent.device) == "web");
}

// -- rules for all others -------------------------------------------------------------------------

TEST_CASE_FIXTURE(placing_world, "a permanent rule on what is proven moves a device when that changes") {
  rule("office", {{moving_trait::source, "198.51.100.0/24"}}, "office").permanent = true;
  rule("by tag", {{moving_trait::tag, "kiosk"}}, "kiosks").permanent = true;
  rule("once", {{moving_trait::source, "203.0.113.0/24"}}, "home");
  publish();
  auto agent = enrolled();
  first_sync(agent, {});
  const auto there = session();
  const held_documents nothing;
  greet(agent, there, nothing);
  CHECK(path_of(agent.device) == "unassigned");
  greet(agent, there, nothing, "203.0.113.5"); // a rule that is not permanent
  CHECK(path_of(agent.device) == "unassigned");
  greet(agent, there, nothing, "198.51.100.7");
  CHECK(path_of(agent.device) == "office");
  assign(agent.device, placed({}, {"kiosk"}));
  CHECK(path_of(agent.device) == "office"); // the first rule that holds
  greet(agent, there, nothing, "192.0.2.7");
  CHECK(path_of(agent.device) == "kiosks");
  assign(agent.device, placed(group("office")));
  greet(agent, there, nothing, "192.0.2.7");
  CHECK(path_of(agent.device) == "office"); // nothing has changed
}

TEST_CASE_FIXTURE(placing_world, "a rule that trusts claims is told everything, whatever the sync brought") {
  auto& trusting = rule("web", {{moving_trait::application, "nginx"},
                                {moving_trait::address, "10.0.0.0/8"},
                                {moving_trait::name, "web-*"}}, "web");
  trusting.permanent = true;
  trusting.trust_claimed = true;
  publish();
  auto agent = enrolled();
  first_sync(agent, {"mill", "debian", {"nginx"}, {"10.0.0.1"}});
  CHECK(path_of(agent.device) == "unassigned");
  facts_sync(agent, "web-1", "debian", {"10.0.0.1"}); // the applications are in the store only
  CHECK(path_of(agent.device) == "web");
}

TEST_CASE_FIXTURE(placing_world, "an administrator runs the rules for those who are meant: first to see, then "
                                "for good") {
  auto web1 = enrolled("web-1");
  auto web2 = enrolled("web-2");
  auto mill = enrolled("mill");
  for (const auto* const one : {&web1, &web2, &mill})
    first_sync(*one, {one->host_name, "debian", {"nginx"}, {}});
  rule("web", {{moving_trait::name, "web-*"}, {moving_trait::application, "nginx"}}, "web");
  publish();
  sync(web1, 0);
  const auto seen = place("web-2 mill", true); // one term each: nobody is both
  CHECK(seen.looked_at == 0);
  const auto dry = place("web-2,mill", true);
  CHECK(dry.looked_at == 2);
  CHECK(dry.moved == 1);
  REQUIRE(dry.moves.size() == 1);
  CHECK(dry.moves[0].device == web2.device);
  CHECK(dry.moves[0].from == "unassigned");
  CHECK(dry.moves[0].to == "web");
  CHECK(dry.moves[0].rule == "web");
  CHECK(path_of(web2.device) == "unassigned");
  const auto done = place("*");
  CHECK(done.looked_at == 3);
  CHECK(path_of(web2.device) == "web");
  CHECK(path_of(mill.device) == "unassigned");
  const auto entries = audit_of("device.move");
  REQUIRE_FALSE(entries.empty());
  CHECK(entries.back().actor() == "anna");
  CHECK(entries.back().detail() == "from /unassigned to /web by the rule web");
  CHECK(place("*").moved == 0);
  lose_power();
  publish();
  CHECK(path_of(web2.device) == "web");
}

TEST_CASE_FIXTURE(placing_world, "rules are run in slices, and beside lists") {
  storage::change_batch changes;
  for (std::uint32_t i = 0; i < 10'000; ++i) {
    device_id device;
    net::random_bytes(device.bytes);
    storage::record::device identity;
    identity.set_certificate_sha256(std::string(32, 'c'));
    identity.set_fingerprint(std::string(16, 'f'));
    identity.set_host_name("mill-" + std::to_string(i));
    changes.push_back(storage::put(family::devices, storage::keys::device(device.bytes),
                                   storage::records::encode(identity)));
  }
  REQUIRE_FALSE(db->write_sync({&changes, 1}));
  kill_all();
  start();
  rule("all", {{moving_trait::name, "mill-*"}}, "mills");
  publish();
  auto what = std::make_shared<placement_order>();
  what->target = "*";
  what->who.actor = "anna";
  auto placing = begin_ask(directories[0], atom::place_v, placement_order_ptr{what});
  auto again = begin_ask(directories[0], atom::place_v, placement_order_ptr{what});
  auto counting = begin_ask(directories[0], atom::count_v);
  settle();
  const auto report = take<placement_report_ptr>(placing);
  REQUIRE(report);
  const auto moved = (*report)->moved;
  CHECK((*report)->moves.size() == fleet_limits::placing_told);
  CHECK_FALSE(take<placement_report_ptr>(again)); // one at a time
  CHECK(moved == take<device_counts>(counting)->total);
  CHECK(moved > 4'500);
  CHECK(audit_of("device.move").size() == moved);
}
