// Where devices belong: by an administrator's word, by tokens, by rules.

#include "tests/actors/order_world.hpp"

using namespace muster;
using namespace muster::test;
using rules::moving_trait;

namespace {

using tags_t = std::vector<std::string>;

} // namespace

// -- an administrator's word ----------------------------------------------------------------------

TEST_CASE_FIXTURE(order_world, "a device is in 'unassigned' until somebody says where it belongs, and "
                                "stays there whatever happens to the server") {
  auto agent = enrolled();
  CHECK(row(agent.device)->group_path.empty()); // nobody has told us the groups
  const auto berlin = group("eu/berlin");
  publish();
  CHECK(path_of(agent.device) == "unassigned");
  assign(agent.device, placed(berlin, {"laptop", "b"}, {}));
  CHECK(path_of(agent.device) == "eu/berlin");
  CHECK(row(agent.device)->group == berlin.number);
  CHECK(row(agent.device)->tags == tags_t{"b", "laptop"});
  const auto entries = audit_of("device.assign");
  REQUIRE(entries.size() == 1);
  CHECK(entries[0].actor() == "anna");
  CHECK(entries[0].subject() == agent.device.text());
  CHECK(entries[0].detail() == "group /eu/berlin +laptop +b");
  pass_time(1s);
  CHECK(events_of(agent.device, "device.moved") == 1);
  lose_power();
  publish();
  CHECK(path_of(agent.device) == "eu/berlin");
  CHECK(row(agent.device)->tags == tags_t{"b", "laptop"});
  CHECK(stored_assignment(agent.device)->settled());
  CHECK(stored_assignment(agent.device)->changed_by() == "anna");
  assign(agent.device, placed({}, {"c"}, {"laptop", "never"}));
  CHECK(row(agent.device)->tags == tags_t{"b", "c"});
  CHECK(path_of(agent.device) == "eu/berlin");
}

TEST_CASE_FIXTURE(order_world, "what cannot be is refused with a sentence, and nothing is changed") {
  auto agent = enrolled();
  CHECK(why_not(agent.device, placed({}, {"a"})) == "the groups are not loaded yet");
  publish();
  CHECK(why_not(agent.device, placed(rules::group_id{99})) == "there is no such group");
  CHECK(why_not(agent.device, placed({}, {"Laptop"})).starts_with("'Laptop' is no tag: a tag may"));
  CHECK(why_not(agent.device, placed({}, {}, {""})).starts_with("'' is no tag: "));
  tags_t many;
  for (std::size_t i = 0; i <= tags_max; ++i)
    many.push_back("t" + std::to_string(i));
  CHECK(why_not(agent.device, placed({}, many)) == "a device has at most 32 tags");
  many.pop_back();
  assign(agent.device, placed({}, many));
  CHECK(why_not(agent.device, placed({}, {"more"})) == "a device has at most 32 tags");
  assign(agent.device, placed({}, {"more"}, {"t0"}));
  CHECK(row(agent.device)->tags.size() == tags_max);
  CHECK_FALSE(*try_assign(device_id{}, placed({}, {"a"})));
  CHECK(audit_of("device.assign").size() == 2);
}

TEST_CASE_FIXTURE(order_world, "a word that the store does not take is as if nobody had said it") {
  auto agent = enrolled();
  const auto berlin = group("berlin");
  publish();
  db->fail_next_writes(1, storage::errc::disk_full);
  CHECK_FALSE(try_assign(agent.device, placed(berlin, {"a"})));
  CHECK(path_of(agent.device) == "unassigned");
  CHECK(row(agent.device)->tags.empty());
  CHECK(audit_of("device.assign").empty());
  assign(agent.device, placed(berlin, {"a"})); // and nothing is in its way
  CHECK(path_of(agent.device) == "berlin");
}

TEST_CASE_FIXTURE(order_world, "a device is moved by one at a time") {
  auto agent = enrolled();
  const auto berlin = group("berlin");
  const auto paris = group("paris");
  publish();
  const auto& shard = directory_of(agent.device);
  auto first = begin_ask(shard, atom::assign_v, agent.device, assignment_order_ptr{placed(berlin)});
  auto second = begin_ask(shard, atom::assign_v, agent.device, assignment_order_ptr{placed(paris)});
  settle();
  std::size_t refused = 0;
  for (auto* const one : {&first, &second})
    refused += take<bool>(*one) ? 0 : 1;
  CHECK(refused == 1);
  CHECK(path_of(agent.device) == "berlin");
}

TEST_CASE_FIXTURE(order_world, "a group that is gone is 'unassigned', and one that is renamed is not") {
  auto agent = enrolled();
  const auto berlin = group("eu/berlin");
  const auto paris = group("eu/paris");
  publish();
  assign(agent.device, placed(paris));
  std::string problem;
  REQUIRE(order.groups.rename(paris, "lyon", problem));
  publish();
  CHECK(path_of(agent.device) == "eu/lyon");
  REQUIRE(order.groups.remove(paris, problem));
  publish();
  CHECK(path_of(agent.device) == "unassigned");
  CHECK(row(agent.device)->group == rules::group_tree::unassigned.number);
  CHECK(matching("group:eu").empty());
  assign(agent.device, placed(berlin));
  CHECK(path_of(agent.device) == "eu/berlin");
}

TEST_CASE_FIXTURE(order_world, "targets by group and tag find who is there") {
  const auto berlin = group("eu/berlin");
  const auto paris = group("eu/paris");
  publish();
  auto a = enrolled("a");
  auto b = enrolled("b");
  auto c = enrolled("c");
  assign(a.device, placed(berlin, {"laptop", "old"}));
  assign(b.device, placed(paris, {"laptop"}));
  CHECK(matching("group:eu") == tags_t{"a", "b"});
  CHECK(matching("group:/") == tags_t{"a", "b", "c"});
  CHECK(matching("group:unassigned") == tags_t{"c"});
  CHECK(matching("tag:laptop") == tags_t{"a", "b"});
  CHECK(matching("tag:o* group:eu/berlin") == tags_t{"a"});
  CHECK(matching("tag:desktop").empty());
}

TEST_CASE_FIXTURE(order_world, "nothing is left of a device that was removed") {
  auto agent = enrolled();
  const auto berlin = group("berlin");
  publish();
  assign(agent.device, placed(berlin, {"a"}));
  const storage::change_batch own{
    storage::put(family::devices, storage::keys::own_settings({agent.device.bytes, "sshd"}), "x")};
  REQUIRE_FALSE(db->write({&own, 1}));
  auto moved = begin_ask(directory_of(agent.device), atom::assign_v, agent.device,
                         assignment_order_ptr{placed({}, {"b"})});
  auto removed =
    begin_ask(directory_of(agent.device), atom::remove_v, agent.device, audit("device.remove"));
  settle();
  CHECK(take<bool>(moved));
  CHECK(take<bool>(removed));
  pass_time(fleet_limits::removal_recheck + 6s);
  CHECK_FALSE(stored_assignment(agent.device));
  std::size_t left = 0;
  const auto range = storage::keys::own_settings_of(agent.device.bytes);
  REQUIRE_FALSE(db->scan(family::devices, range, false, [&](auto, auto) { return ++left != 0; }));
  CHECK(left == 0);
}

// -- tokens ---------------------------------------------------------------------------------------

TEST_CASE_FIXTURE(order_world, "a token says where its devices go, and claims do not move them from there") {
  const auto berlin = group("berlin");
  const auto web = group("web");
  rule("by name", {{moving_trait::name, "*"}}, "web");
  publish();
  auto agent = enrol_with("for berlin", berlin);
  CHECK(path_of(agent.device) == "berlin");
  CHECK(stored_assignment(agent.device)->group() == berlin.number);
  first_sync(agent, {});
  CHECK(path_of(agent.device) == "berlin");
  lose_power();
  publish();
  CHECK(path_of(agent.device) == "berlin");
  auto other = enrol_with("any");
  CHECK(row(other.device)->group == web.number);
}

TEST_CASE_FIXTURE(order_world, "a token's group is stored with the device: no end of the server gets in between") {
  const auto berlin = group("berlin");
  publish();
  token_order with{"t", 86400, 0, audit("token.create"), berlin.number};
  const auto secret = ask<token_infos>(enrols, atom::create_v, with)->front().secret;
  CHECK(ask<token_infos>(enrols, atom::list_v)->back().group == berlin.number);
  played_agent agent;
  auto enrolling = begin_ask(enrols, atom::enrol_v, enrolment_ptr{agent.request(secret)});
  const auto there = [&] {
    std::error_code ec;
    return load_directory(*db, 1, ec).front().devices->size() == 1;
  };
  while (!there())
    REQUIRE(sched.try_run_once()); // the directory may not have heard of it
  std::error_code ec;
  const auto loaded = load_directory(*db, 1, ec);
  const auto& entry = loaded.front().devices->at_rank(0);
  CHECK(entry.group == berlin.number);
  CHECK(entry.settled);
  CHECK(loaded.front().devices->text(entry.token) == "t");
  settle();
  CHECK(take<enrolment_result_ptr>(enrolling));
}
