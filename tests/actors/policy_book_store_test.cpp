// What is left of the fleet's order when the store refuses, the power goes, or a record is damaged.

#include "tests/actors/policy_book_world.hpp"

#include <doctest/doctest.h>

#include <functional>

using namespace muster;
using namespace muster::test;

namespace {

std::string base() {
  using world = policy_book_world;
  return world::group("eu", "all of it") + world::group("eu/berlin") + world::group("us") +
         world::policy("", "sshd", "{Port: 22}", "  locks: [Port]\n") +
         world::policy("eu/berlin", "sshd", "{Banner: no}",
                       "  profiles:\n    - {name: l, when: \"tag:laptop\", settings: {A: 1}}\n") +
         world::policy("eu", "ntp", "{servers: [a, b]}") + world::rule("second", "us") +
         world::rule("first", "eu", "  order: 1\n  permanent: true\n") +
         world::task("look", "group:eu");
}

std::string loaded(const memory_store& db) {
  std::error_code ec;
  const auto fleet = load_fleet(db, ec);
  REQUIRE_FALSE(ec);
  return policy_book_world::described(*fleet.snapshot);
}

} // namespace

TEST_CASE_FIXTURE(policy_book_world, "a book that starts again has what it had, and says it") {
  made(base());
  made(policy("eu", "ntp", "{servers: [a]}"));
  move("eu/berlin", "us/munich");
  const auto before = described();
  restart();
  CHECK(described() == before);
  for (const auto& shard : *shards) {
    REQUIRE(shard.fleets() == 1);
    CHECK(described(*shard.words.back().fleet) == before);
  }
  CHECK(made(rules::export_fleet(objects_of(*fleet())), true).plan.steps.empty());
}

TEST_CASE_FIXTURE(policy_book_world,
                  "a group below one with a greater number is loaded all the same") {
  made(group("a") + group("b") + group("b/c") + policy("a", "sshd", "{Port: 1}"));
  move("a", "b/c/a");
  const auto before = described();
  restart();
  CHECK(described() == before);
  CHECK(fleet()->groups.path({3}) == "b/c/a");
}

TEST_CASE_FIXTURE(policy_book_world, "what was answered survives the power") {
  made(base());
  const auto before = described();
  lose_power();
  CHECK(described() == before);
  CHECK(audited().size() == 9);
}

TEST_CASE_FIXTURE(policy_book_world, "what was not answered is there as a whole or not at all") {
  made(group("eu"));
  const auto before = described();
  std::vector<std::string> at_syncs;
  db->on_sync([&] { at_syncs.push_back(loaded(*db->after_power_loss())); });
  auto asked = begin_ask(book, atom::apply_v, order(base()));
  // Step by step: until somebody is answered, a loss leaves what was there before, or all.
  std::size_t whole = 0;
  while (sched.try_run_once()) {
    const auto left = loaded(*db->after_power_loss());
    if (left == before) {
      CHECK(whole == 0);
      CHECK_FALSE(self->has_next_message());
      CHECK((*shards)[0].fleets() == 2);
    } else {
      ++whole;
    }
  }
  db->on_sync({});
  CHECK(at_syncs == std::vector{before});
  CHECK(whole > 0);
  CHECK((*take<fleet_answer_ptr>(asked))->plan.problems.empty());
  CHECK(loaded(*db->after_power_loss()) == described());
}

TEST_CASE_FIXTURE(policy_book_world,
                  "a book that dies before it has answered has left the whole of it") {
  [[maybe_unused]] const auto asked = begin_ask(book, atom::apply_v, order(base()));
  // The writer has it, the book has not heard.
  while (db->writes() == 0)
    REQUIRE(sched.try_run_once());
  caf::anon_send<caf::message_priority::high>(
    caf::actor_cast<caf::actor>(book), caf::exit_msg{caf::actor_addr{}, caf::exit_reason::kill});
  settle();
  CHECK_FALSE(self->has_next_message());
  CHECK((*shards)[0].fleets() == 1);
  restart();
  CHECK(fleet()->revision == 1);
  CHECK(made(base()).plan.steps.empty());
}

TEST_CASE_FIXTURE(policy_book_world, "a write that the store refuses leaves everything as it was") {
  const auto device = enrol(1);
  made(base());
  own(device, "sshd", {{"Port", "1"}});
  const auto before = described();
  const auto spec_bytes = metric("spec_bytes");
  const auto own_bytes = metric("own_bytes");
  const auto told = (*shards)[0].words.size() + (*shards)[1].words.size();
  db->fail_writes(storage::errc::disk_full);
  const auto refused = try_ask<fleet_answer_ptr>(book, atom::apply_v, order(group("asia")));
  REQUIRE_FALSE(refused);
  CHECK(is(refused.error(), storage::errc::disk_full));
  auto moved = std::make_shared<group_order>();
  moved->path = "eu";
  moved->new_path = "europe";
  CHECK_FALSE(try_ask<fleet_answer_ptr>(book, atom::apply_v, group_order_ptr{moved}));
  CHECK_FALSE(
    try_ask<fleet_answer_ptr>(book, atom::apply_v, own_order(device, "sshd", {{"Port", "2"}})));
  CHECK(described() == before);
  CHECK(metric("spec_bytes") == spec_bytes);
  CHECK(metric("own_bytes") == own_bytes);
  CHECK((*shards)[0].words.size() + (*shards)[1].words.size() == told);
  db->fail_writes({});
  CHECK(made(group("asia")).revision == 2);
  CHECK(own(device, "sshd", {{"Port", "2"}}).plan.steps.size() == 1);
  CHECK(loaded(*db) == described());
}

TEST_CASE_FIXTURE(policy_book_world, "orders behind one that the store refuses have their turn") {
  db->fail_next_writes(1, storage::errc::disk_full);
  auto first = begin_ask(book, atom::apply_v, order(group("eu")));
  auto second = begin_ask(book, atom::apply_v, order(group("us")));
  settle();
  CHECK_FALSE(take<fleet_answer_ptr>(first));
  CHECK((*take<fleet_answer_ptr>(second))->revision == 1);
  CHECK(fleet()->groups.find("us"));
  CHECK_FALSE(fleet()->groups.find("eu"));
}

TEST_CASE_FIXTURE(policy_book_world, "a damaged record stops the start instead of being left out") {
  const auto device = enrol(1);
  made(base());
  own(device, "sshd", {{"Port", "1"}});
  kill_all();
  const auto good = loaded(*db);
  const auto with = [&](const storage::change& damage) {
    auto broken = db->after_power_loss();
    const storage::change_batch batch{damage};
    REQUIRE_FALSE(broken->write_sync({&batch, 1}));
    std::error_code ec;
    const auto out = load_fleet(*broken, ec);
    CHECK((out.snapshot == nullptr) == static_cast<bool>(ec));
    return static_cast<bool>(ec);
  };
  storage::key_range everything{};
  std::vector<std::string> keys;
  const auto ranges = {storage::keys::groups(), storage::keys::fleet_objects()};
  for (const auto& range : ranges)
    REQUIRE_FALSE(db->scan(family::meta, range, false, [&](auto key, auto value) {
      keys.emplace_back(key);
      CHECK(with(storage::put(family::meta, std::string{key}, "rubbish")));
      CHECK(with(storage::put(family::meta, std::string{key},
                              std::string{value.substr(0, value.size() - 1)})));
      return true;
    }));
  CHECK(keys.size() == 9);
  const auto own_key = storage::keys::own_settings({device.bytes, "sshd"});
  CHECK(with(storage::put(family::devices, own_key, "rubbish")));
  CHECK(with(storage::put(family::meta, storage::keys::setting(fleet_marks_setting), "rubbish")));
  // A group that others need, a rule of a kind from the future.
  CHECK(with(storage::erase(family::meta, storage::keys::group(3))));
  CHECK(with(storage::erase(family::meta, storage::keys::group(5)))); // "us", where a rule moves to
  storage::record::fleet_object odd;
  odd.set_kind(9);
  odd.set_name("x");
  CHECK(with(storage::put(family::meta, storage::keys::fleet_object({9, 0, "x"}),
                          storage::records::encode(odd))));
  CHECK_FALSE(with(storage::put(family::meta, storage::keys::setting("other"), "x")));
  CHECK(loaded(*db) == good);
  db->fail_reads(storage::errc::io_error);
  std::error_code ec;
  CHECK(load_fleet(*db, ec).snapshot == nullptr);
  CHECK(ec == storage::errc::io_error);
  db->fail_reads({});
  start();
}
