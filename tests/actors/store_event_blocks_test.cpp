// How events become blocks, index entries and a position.

#include "storage/event_blocks_actor.hpp"
#include "storage/keys.hpp"
#include "storage/limits.hpp"
#include "storage/records.hpp"

#include <doctest/doctest.h>

#include <set>

using namespace muster;
using namespace muster::actors;
using storage::family;

namespace {

constexpr std::int64_t received = 1'700'000'000'000'000;

event_append sample() {
  event_append out;
  out.device.bytes.fill(3);
  out.device_name = "mill";
  out.epoch = 77;
  out.clock_offset_ms = -1500;
  return out;
}

event_item item(std::uint64_t sequence, severity how, std::string text = "text") {
  return {.sequence = sequence,
          .time_ms = 123,
          .severity = how,
          .type = "a.b",
          .text = std::move(text),
          .attributes = {{"key", "value"}},
          .gap = {}};
}

std::vector<storage::record::event_block> blocks(const storage::change_batch& changes) {
  std::vector<storage::record::event_block> out;
  for (const auto& change : changes) {
    if (change.where != family::events)
      continue;
    REQUIRE_FALSE(storage::records::decode(change.value, out.emplace_back()));
    const auto key = storage::keys::parse_event(change.key);
    REQUIRE(key);
    CHECK(key->severity == out.back().severity());
    CHECK(key->received_us == out.back().received_us());
  }
  return out;
}

} // namespace

TEST_CASE("an append becomes a block and an index entry per severity, and one position") {
  auto what = sample();
  what.events = {item(1, severity::info), item(2, severity::failure), item(3, severity::info)};
  what.events[1].gap = event_gap{5, 9, 5};
  storage::change_batch changes;
  storage::append_changes(what, received, changes);
  REQUIRE(changes.size() == 5);
  const auto found = blocks(changes);
  REQUIRE(found.size() == 2);
  CHECK(found[0].severity() == 1);
  REQUIRE(found[0].events_size() == 2);
  CHECK(found[0].events(1).sequence() == 3);
  CHECK(found[0].device() == what.device.raw());
  CHECK(found[0].device_name() == "mill");
  CHECK(found[0].epoch() == 77);
  CHECK(found[0].clock_offset_ms() == -1500);
  CHECK(found[0].events(0).attributes().at("key") == "value");
  CHECK(found[1].severity() == 4);
  CHECK(found[1].events(0).gap_last() == 9);

  std::size_t entries = 0;
  for (const auto& change : changes) {
    if (change.where != family::index)
      continue;
    ++entries;
    const auto key = storage::keys::parse_device_event(change.key);
    REQUIRE(key);
    CHECK(key->device == what.device.bytes);
    CHECK(key->received_us == received);
  }
  CHECK(entries == 2);
  CHECK(changes.back().key == storage::keys::position(what.device.bytes));
  storage::record::position position;
  REQUIRE_FALSE(storage::records::decode(changes.back().value, position));
  CHECK(position.epoch() == 77);
  CHECK(position.sequence() == 3);
}

TEST_CASE("what was prepared beforehand is stored the same, byte for byte") {
  auto what = sample();
  for (std::uint64_t i = 1; i <= 200; ++i)
    what.events.push_back(item(i, static_cast<severity>(1 + i % 4), std::string(2000, 'x')));
  storage::change_batch unprepared;
  storage::append_changes(what, received, unprepared);
  storage::prepare(what);
  CHECK(what.encoded.size() == 8);
  storage::change_batch prepared;
  storage::append_changes(what, received, prepared);
  REQUIRE(prepared.size() == unprepared.size());
  for (std::size_t i = 0; i < prepared.size(); ++i) {
    CHECK(prepared[i].key == unprepared[i].key);
    CHECK(prepared[i].value == unprepared[i].value);
  }
}

TEST_CASE("many events of one severity become several blocks under keys of their own") {
  auto what = sample();
  for (std::uint64_t i = 1; i <= 300; ++i)
    what.events.push_back(item(i, severity::warning, std::string(1000, 'x')));
  storage::change_batch changes;
  storage::append_changes(what, received, changes);
  std::set<std::string> keys;
  std::uint64_t next = 1;
  for (const auto& block : blocks(changes)) {
    CHECK(block.ByteSizeLong() < storage::limits::event_block_bytes + 2000);
    for (const auto& event : block.events())
      CHECK(event.sequence() == next++);
  }
  CHECK(next == 301);
  for (const auto& change : changes)
    CHECK(keys.insert(change.key).second);
  CHECK(blocks(changes).size() == 5);
}

TEST_CASE("what is no UTF-8 is stored as something that can be read again") {
  auto what = sample();
  what.device_name = "m\xffll";
  what.events = {item(1, severity::info, "caf\xc3\xa9 \xc3 \xf0\x9f\x8e\x89 \xed\xa0\x80")};
  what.events[0].attributes = {{"k\x80", "v\xc0\xaf"}};
  storage::change_batch changes;
  storage::append_changes(what, received, changes);
  const auto found = blocks(changes);
  REQUIRE(found.size() == 1);
  CHECK(found[0].device_name() == "m?ll");
  CHECK(found[0].events(0).text() == "caf\xc3\xa9 ? \xf0\x9f\x8e\x89 ???");
  CHECK(found[0].events(0).attributes().at("k?") == "v??");
}
