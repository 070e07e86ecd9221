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

storage::change_batch changes_of(event_append what) {
  storage::prepare(what);
  storage::change_batch out;
  storage::append_blocks(what, received, out);
  storage::append_entries(what, received, out);
  return out;
}

} // namespace

TEST_CASE("an append becomes a block and an index entry per severity, and one position") {
  auto what = sample();
  what.events = {item(1, severity::info), item(2, severity::failure), item(3, severity::info)};
  what.events[1].gap = event_gap{5, 9, 5};
  const auto changes = changes_of(what);
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

TEST_CASE("what is written by hand is what protobuf would have written") {
  auto what = sample();
  what.events = {
    item(UINT64_MAX, severity::info, std::string(300, 'x')),
    item(128, severity::info, ""),
    item(1, severity::info),
  };
  what.events[0].time_ms = -1;
  what.events[1].attributes = {{"", ""}, {"only a key", ""}, {std::string(127, 'k'), "v"}};
  what.events[2].attributes.clear();
  what.events[2].gap = event_gap{0, 300, UINT64_MAX};
  what.after = {what.epoch + 1, 0};
  // In the order in which the writer takes them.
  std::swap(what.events[0], what.events[2]);
  for (const auto offset : {std::int64_t{0}, std::int64_t{-70'000}, INT64_MAX, INT64_MIN}) {
    what.clock_offset_ms = offset;
    storage::record::event_block expected;
    expected.set_device(what.device.raw());
    expected.set_device_name(what.device_name);
    expected.set_epoch(what.epoch);
    expected.set_received_us(received);
    expected.set_clock_offset_ms(offset);
    expected.set_severity(1);
    for (const auto& event : what.events) {
      auto& out = *expected.add_events();
      out.set_sequence(event.sequence);
      out.set_time_ms(event.time_ms);
      out.set_type(event.type);
      out.set_text(event.text);
      for (const auto& [key, value] : event.attributes)
        (*out.mutable_attributes())[key] = value;
      if (event.gap) {
        out.set_gap_first(event.gap->first);
        out.set_gap_last(event.gap->last);
        out.set_gap_count(event.gap->count);
      }
    }
    const auto changes = changes_of(what);
    CHECK(changes.front().value.size() == storage::records::encode(expected).size());
    // A map has no order: compare what is read back.
    const auto found = blocks(changes);
    REQUIRE(found.size() == 1);
    REQUIRE(found[0].events_size() == 3);
    for (int i = 0; i < 3; ++i) {
      CHECK(found[0].events(i).attributes_size() == expected.events(i).attributes_size());
      for (const auto& [key, value] : expected.events(i).attributes())
        CHECK(found[0].events(i).attributes().at(key) == value);
    }
    auto found_bare = found[0];
    for (auto* block : {&found_bare, &expected})
      for (auto& event : *block->mutable_events())
        event.clear_attributes();
    CHECK(found_bare.SerializeAsString() == expected.SerializeAsString());
  }
}

TEST_CASE("what is unfit is not prepared") {
  for (const auto sequence : {0, 3}) {
    auto what = sample();
    what.events = {item(3, severity::info),
                   item(static_cast<std::uint64_t>(sequence), severity::info)};
    storage::prepare(what);
    CHECK(what.encoded.empty());
    CHECK(storage::unfit(what));
  }
}

TEST_CASE("every severity has its blocks, each closed when it is full") {
  auto what = sample();
  for (std::uint64_t i = 1; i <= 200; ++i)
    what.events.push_back(item(i, static_cast<severity>(1 + i % 4), std::string(2000, 'x')));
  storage::prepare(what);
  CHECK(what.encoded.size() == 8);
}

TEST_CASE("many events of one severity become several blocks under keys of their own") {
  auto what = sample();
  for (std::uint64_t i = 1; i <= 300; ++i)
    what.events.push_back(item(i, severity::warning, std::string(1000, 'x')));
  const auto changes = changes_of(what);
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
  const auto changes = changes_of(what);
  const auto found = blocks(changes);
  REQUIRE(found.size() == 1);
  CHECK(found[0].device_name() == "m?ll");
  CHECK(found[0].events(0).text() == "caf\xc3\xa9 ? \xf0\x9f\x8e\x89 ???");
  CHECK(found[0].events(0).attributes().at("k?") == "v??");
}
