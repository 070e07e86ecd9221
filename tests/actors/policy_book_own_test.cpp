// What administrators set for single devices.

#include "tests/actors/policy_book_world.hpp"

#include <doctest/doctest.h>

using namespace muster;
using namespace muster::test;

namespace {

std::size_t in_store(const memory_store& db, const device_id& device) {
  std::size_t out = 0;
  REQUIRE_FALSE(
    db.scan(family::devices, storage::keys::own_settings_of(device.bytes), false, [&](auto, auto) {
      ++out;
      return true;
    }));
  return out;
}

} // namespace

TEST_CASE_FIXTURE(policy_book_world, "a device's own values are stored, and its shard is told") {
  const auto device = enrol(1);
  const auto answer = own(device, "sshd", {{"Port", "2222"}, {"Match.User", "\"git\""}});
  CHECK(answer.plan.problems.empty());
  REQUIRE(answer.plan.steps.size() == 1);
  CHECK(changed_paths(answer.plan.steps.front().changes) == "Match, Port");
  auto told = told_own(device);
  REQUIRE(told);
  REQUIRE(told->all.size() == 1);
  CHECK(told->all.front().application == "sshd");
  CHECK(told->all.front().revision == 1);
  CHECK(told->all.front().values == json(R"({"Match": {"User": "git"}, "Port": 2222})"));
  own(device, "ntp", {{"servers", R"(["a"])"}});
  own(device, "sshd", {{"Port", "22"}});
  told = told_own(device);
  REQUIRE(told->all.size() == 2);
  CHECK(told->all[0].application == "ntp");
  CHECK(told->all[1].values == json(R"({"Match": {"User": "git"}, "Port": 22})"));
  CHECK(told->all[1].revision == 3);
  CHECK(fleet()->revision == 0);
  CHECK(audited() ==
        std::vector<std::string>{"settings.own " + device.text() + ": sshd: Match, Port",
                                 "settings.own " + device.text() + ": ntp: servers",
                                 "settings.own " + device.text() + ": sshd: Port"});
  CHECK((*shards)[0].fleets() + (*shards)[1].fleets() == 2);
}

TEST_CASE_FIXTURE(policy_book_world, "what is unset is gone, with the last value the document") {
  const auto device = enrol(1);
  own(device, "sshd", {{"a.b.c", "1"}, {"d", "2"}});
  own(device, "sshd", {}, {"a.b.c"});
  CHECK(told_own(device)->all.front().values == json(R"({"d": 2})"));
  CHECK(in_store(*db, device) == 1);
  own(device, "sshd", {}, {"d"});
  CHECK(told_own(device)->all.empty());
  CHECK(in_store(*db, device) == 0);
  CHECK(metric("own_devices") == "0");
  CHECK(metric("own_bytes") == "0");
  // A revision is not used again, even for a document that was gone meanwhile.
  restart();
  own(device, "sshd", {{"d", "2"}});
  CHECK(told_own(device)->all.front().revision == 4);
}

TEST_CASE_FIXTURE(policy_book_world, "what is so already is not written again") {
  const auto device = enrol(1);
  own(device, "sshd", {{"Port", "1"}});
  const auto writes = db->writes();
  const auto same = own(device, "sshd", {{"Port", "1"}}, {"Banner"});
  CHECK(same.plan.unchanged == 1);
  CHECK(same.plan.steps.empty());
  CHECK(db->writes() == writes);
}

TEST_CASE_FIXTURE(policy_book_world, "own values come before the fleet when a book starts") {
  std::vector<device_id> devices;
  for (std::uint8_t i = 1; i <= 5; ++i) {
    devices.push_back(enrol(i));
    own(devices.back(), "sshd", {{"Port", std::to_string(i)}});
  }
  lose_power();
  std::size_t told = 0;
  for (const auto& shard : *shards) {
    CHECK(shard.fleets() == 1);
    CHECK(shard.words.back().fleet != nullptr);
    told += shard.words.size() - 1;
  }
  CHECK(told == 5);
  for (std::uint8_t i = 1; i <= 5; ++i)
    CHECK(told_own(devices[i - 1U])->all.front().values ==
          json("{\"Port\": " + std::to_string(i) + "}"));
}

TEST_CASE_FIXTURE(policy_book_world, "a device that is not there, or no more, has no own values") {
  const auto device = enrol(1);
  device_id stranger;
  stranger.bytes.fill(9);
  const auto refused = own(stranger, "sshd", {{"Port", "1"}});
  CHECK(refused.plan.problems == std::vector<std::string>{"there is no device " + stranger.text()});
  own(device, "sshd", {{"Port", "1"}});
  own(device, "ntp", {{"a", "1"}});
  CHECK(in_store(*db, device) == 2);
  self->send(book, atom::remove_v, device);
  settle();
  CHECK(in_store(*db, device) == 0);
  CHECK(metric("own_devices") == "0");
  const auto writes = db->writes();
  self->send(book, atom::remove_v, device);
  settle();
  CHECK(db->writes() == writes);
}

TEST_CASE_FIXTURE(policy_book_world,
                  "values that are being set when their device goes go as well") {
  const auto device = enrol(1);
  auto asked = begin_ask(book, atom::apply_v, own_order(device, "sshd", {{"Port", "1"}}));
  self->send(book, atom::remove_v, device);
  settle();
  CHECK((*take<fleet_answer_ptr>(asked))->plan.problems.empty());
  CHECK(in_store(*db, device) == 0);
}

TEST_CASE_FIXTURE(policy_book_world, "a start forgets the own values of devices that are gone") {
  const auto device = enrol(1);
  const auto other = enrol(2);
  own(device, "sshd", {{"Port", "1"}});
  own(other, "sshd", {{"Port", "2"}});
  const storage::change_batch batch{
    storage::erase(family::devices, storage::keys::device(device.bytes))};
  REQUIRE_FALSE(db->write_sync({&batch, 1}));
  restart();
  CHECK_FALSE(told_own(device));
  CHECK(told_own(other));
  CHECK(in_store(*db, device) == 0);
  CHECK(in_store(*db, other) == 1);
}

TEST_CASE_FIXTURE(policy_book_world, "own values keep to bounds") {
  const auto device = enrol(1);
  const auto problem = [&](const fleet_answer& answer) {
    CHECK(answer.plan.steps.empty());
    return answer.plan.problems.size() == 1 ? answer.plan.problems.front() : "";
  };
  CHECK(problem(own(device, "SSHD", {{"Port", "1"}}))
          .starts_with("own settings of 'SSHD': an application's name"));
  CHECK(problem(own(device, "sshd", {{"", "{}"}})) ==
        "own settings of 'sshd': a setting is set by its name, not all of them at once");
  own(device, "sshd", {{"Port", "1"}});
  CHECK(problem(own(device, "sshd", {{"Port.x", "1"}}))
          .starts_with("own settings of 'sshd': 'Port.x': "));
  CHECK(problem(own(device, "muster-agent", {{"sync_period_s", "1"}})) ==
        "own settings of 'muster-agent': 'sync_period_s' is a whole number from 10 to 2592000");
  CHECK(own(device, "muster-agent", {{"sync_period_s", "60"}}).plan.problems.empty());
  std::string deep = "1";
  for (std::size_t i = 0; i + 2 < rules::settings_limits::depth_max; ++i)
    deep = "[" + deep + "]";
  CHECK(problem(own(device, "sshd", {{"deep", deep}})) ==
        "own settings of 'sshd': it is nested deeper than 32");
  // With {"values": ...} around it, it has one level less.
  CHECK(own(device, "sshd", {{"deep", deep.substr(1, deep.size() - 2)}}).plan.problems.empty());
  CHECK(problem(own(device, "large", {{"a", "\"" + std::string(256 * 1024 - 50, 'x') + "\""}}))
          .find("256 KB together") != std::string::npos);
  for (std::size_t i = 2; i < policy_book_limits::own_applications_max; ++i)
    REQUIRE(own(device, "app" + std::to_string(i), {{"a", "1"}}).plan.problems.empty());
  CHECK(problem(own(device, "one-more", {{"a", "1"}})) ==
        "own settings of 'one-more': a device has own settings of at most 64 applications");
  CHECK(own(device, "app2", {{"a", "2"}}).plan.problems.empty());
  CHECK(own(device, "app3", {}, {"a"}).plan.problems.empty());
  CHECK(own(device, "one-more", {{"a", "1"}}).plan.problems.empty());
}
