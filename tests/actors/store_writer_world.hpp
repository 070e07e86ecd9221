#pragma once
// What the tests of the store's writer share.

#include "storage/event_blocks_actor.hpp"
#include "storage/keys.hpp"
#include "storage/memory_store.hpp"
#include "storage/records.hpp"
#include "storage/store_writer_actor.hpp"
#include "tests/actor_world.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

namespace muster::test {

using namespace muster::actors;
using storage::family;
using storage::memory_store;

/// Outlives the actors.
struct writer_stage {
  memory_store db;
  std::int64_t now_us = 1'700'000'000'000'000;
};

/// A writer on a store in memory, with a clock that the test sets.
struct writer_world : writer_stage, actor_world {
  storage::store_writer_options options() {
    return {.db = &db, .clock = [this] { return now_us; }, .syncs = storage::sync_by::actor};
  }
  store_writer_actor writer = host(storage::store_writer, options());

  static change_batch_ptr change(const std::string& key, std::size_t bytes = 1) {
    return std::make_shared<const storage::change_batch>(
      storage::change_batch{storage::put(family::meta, key, std::string(bytes, 'x'))});
  }
  auto begin_put(const std::string& key, durability how, std::size_t bytes = 1) {
    return begin_ask(writer, atom::put_v, change(key, bytes), how);
  }
  bool has(const memory_store& store, const std::string& key) {
    std::error_code ec;
    return store.get(family::meta, key, ec).has_value();
  }
  std::string metric(const std::string& name) {
    const auto text = *ask<metrics_text>(writer, atom::metrics_v);
    const auto at = text.find("\nmuster_store_" + name + " ");
    REQUIRE(at != std::string::npos);
    const auto begin = text.find(' ', at) + 1;
    return text.substr(begin, text.find('\n', begin) - begin);
  }
};

inline device_id device(std::uint8_t fill) {
  device_id out;
  out.bytes.fill(fill);
  return out;
}

inline std::shared_ptr<event_append> events(const device_id& of, event_position after,
                                            std::uint64_t epoch, std::uint64_t first,
                                            std::uint64_t last) {
  auto out = std::make_shared<event_append>();
  out->device = of;
  out->device_name = "mill";
  out->after = after;
  out->epoch = epoch;
  for (auto sequence = first; sequence <= last; ++sequence)
    out->events.push_back({.sequence = sequence,
                           .time_ms = 1000,
                           .severity = static_cast<severity>(1 + sequence % 4),
                           .type = "test.event",
                           .text = "event " + std::to_string(sequence),
                           .attributes = {},
                           .gap = {}});
  return out;
}

inline event_append_ptr frozen(std::shared_ptr<event_append> what) {
  return what;
}

/// What is in the store, in the order of receive time.
inline std::vector<std::uint64_t> sequences(const memory_store& db) {
  std::vector<std::pair<std::int64_t, std::uint64_t>> found;
  REQUIRE_FALSE(db.scan(family::events, {}, false, [&](auto, auto value) {
    storage::record::event_block block;
    REQUIRE_FALSE(storage::records::decode(value, block));
    for (const auto& event : block.events())
      found.emplace_back(block.received_us(), event.sequence());
    return true;
  }));
  std::sort(found.begin(), found.end());
  std::vector<std::uint64_t> out;
  for (const auto& [received, sequence] : found)
    out.push_back(sequence);
  return out;
}

} // namespace muster::test
