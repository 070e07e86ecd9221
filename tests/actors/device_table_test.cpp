// The directory's memory: found by id, in order of name, shared texts kept once.

#include "actors/server/device_table.hpp"

#include "actors/server/machine_census.hpp"

#include <doctest/doctest.h>

#include <map>
#include <random>
#include <set>
#include <string>
#include <vector>

using namespace muster;
using namespace muster::actors;

namespace {

device_id random_device(std::mt19937_64& random) {
  device_id out;
  for (auto& byte : out.bytes)
    byte = static_cast<std::uint8_t>(random());
  return out;
}

std::vector<device_id> in_order(const device_table& table) {
  std::vector<device_id> out;
  for (std::size_t rank = 0; rank < table.size(); ++rank)
    out.push_back(table.at_rank(rank).device);
  return out;
}

} // namespace

TEST_CASE("a table does what a map and a set would, through every kind of change") {
  std::mt19937_64 random(3);
  device_table table;
  std::map<device_id, std::string> names;
  std::set<std::pair<std::string, device_id>> order;
  const auto name = [&] { return "n" + std::to_string(random() % 50); };
  for (int round = 0; round < 20'000; ++round) {
    const auto what = random() % 10;
    const auto victim =
      names.empty()
        ? names.end()
        : std::next(names.begin(), static_cast<std::ptrdiff_t>(random() % names.size()));
    if (what < 4 || victim == names.end()) {
      const auto device = random_device(random);
      const auto fresh = name();
      auto& entry = table.add(device, fresh);
      CHECK(entry.counter == 0); // a slot used before is as good as new
      entry.counter = 7;
      table.set_text(entry.os_id, "os" + std::to_string(random() % 5));
      names[device] = fresh;
      order.emplace(fresh, device);
    } else if (what < 7) {
      const auto fresh = name();
      table.rename(*table.find(victim->first), fresh);
      order.erase({victim->second, victim->first});
      victim->second = fresh;
      order.emplace(fresh, victim->first);
    } else {
      order.erase({victim->second, victim->first});
      table.erase(*table.find(victim->first));
      CHECK(table.find(victim->first) == nullptr);
      names.erase(victim);
    }
    REQUIRE(table.size() == names.size());
    if (round % 500 == 0) {
      std::vector<device_id> expected;
      for (const auto& [text, device] : order)
        expected.push_back(device);
      CHECK(in_order(table) == expected);
      for (const auto& [device, text] : names)
        REQUIRE(table.find(device)->name == text);
      for (std::size_t rank = 0; rank < table.size(); ++rank) {
        const auto& entry = table.at_rank(rank);
        REQUIRE(table.rank_behind(entry.name, entry.device) == rank + 1);
      }
      CHECK(table.find(random_device(random)) == nullptr);
    }
  }
}

TEST_CASE("a table that is filled at once has the same order") {
  std::mt19937_64 random(5);
  device_table at_once;
  device_table one_by_one;
  const std::vector<std::string> fronts = {
    "", "a", "web-server-of-berlin-", "web-server-of-b", "\xff", std::string("\0", 1), "web-serv"};
  for (int i = 0; i < 3000; ++i) {
    const auto device = random_device(random);
    const auto name =
      fronts[random() % fronts.size()] + (random() % 2 == 0 ? std::to_string(random() % 20) : "");
    at_once.add_unordered(device, name);
    one_by_one.add(device, name);
  }
  at_once.order_all();
  CHECK(in_order(at_once) == in_order(one_by_one));
}

TEST_CASE("a text is forgotten with its last user") {
  text_pool pool;
  const auto one = pool.intern("Debian GNU/Linux 12 (bookworm)");
  CHECK(pool.intern("Debian GNU/Linux 12 (bookworm)") == one);
  const auto other = pool.intern("Fedora");
  CHECK(other != one);
  CHECK(pool.intern("") == text_id::empty);
  pool.release(text_id::empty);
  CHECK(pool.size() == 2);
  pool.release(one);
  CHECK(pool.text(one) == "Debian GNU/Linux 12 (bookworm)");
  pool.release(one);
  CHECK(pool.size() == 1);
  CHECK(pool.intern("something that takes its place") == one);
  CHECK(pool.text(other) == "Fedora");
}

TEST_CASE("texts of a table do not pile up when devices change them every day") {
  std::mt19937_64 random(5);
  device_table table;
  auto& entry = table.add(random_device(random), "mill");
  for (int i = 0; i < 100; ++i)
    table.set_text(entry.agent_version, "version " + std::to_string(i));
  CHECK(table.text(entry.agent_version) == "version 99");
  CHECK(static_cast<std::uint32_t>(entry.agent_version) <= 2);
}

TEST_CASE("the census counts devices of machines, whatever their fingerprints are like") {
  std::mt19937_64 random(9);
  machine_census census;
  std::map<rules::machine_fingerprint, int> model;
  std::vector<rules::machine_fingerprint> machines(300);
  for (std::size_t i = 0; i < machines.size(); ++i) {
    // Zeros and neighbours among them.
    machines[i].bytes[0] = static_cast<std::uint8_t>(i);
    machines[i].bytes[7] = static_cast<std::uint8_t>(i >> 8);
  }
  for (int round = 0; round < 20'000; ++round) {
    const auto& machine = machines[random() % machines.size()];
    if (random() % 2 == 0) {
      census.add(machine);
      ++model[machine];
    } else {
      census.remove(machine);
      if (auto& count = model[machine]; count > 0)
        --count;
    }
    if (round % 1000 == 0)
      for (const auto& one : machines)
        REQUIRE(census.several(one) == (model[one] > 1));
  }
}
