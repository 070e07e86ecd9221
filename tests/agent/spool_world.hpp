#pragma once
// A spool on a store that outlives it: one life between a start and a crash.

#include "actors/agent/event_spool.hpp"
#include "storage/store.hpp"
#include "storage/store_reader_actor.hpp"
#include "storage/store_writer_actor.hpp"
#include "tests/actor_world.hpp"
#include "tests/agent/quiet_log.hpp"

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace muster::test {

using namespace muster::actors;

/// An event with its name.
struct named_event {
  std::uint64_t epoch = 0;
  event_item item;
};

/// Starts writer, reader and spool on `db`; the destructor is the crash.
class spool_life : quiet_log, public actor_world {
public:
  explicit spool_life(storage::store& db, spool_bounds bounds = {}) {
    storage::store_writer_options writing;
    writing.db = &db;
    writing.clock = [this] { return now_us; };
    writer = host(storage::store_writer, std::move(writing));
    reader = host(storage::store_reader, &db);
    start_spool(bounds);
  }

  void start_spool(spool_bounds bounds = {}) {
    event_spool_options options;
    options.bounds = bounds;
    options.draw_epoch = [] { return ++epochs_drawn; };
    options.now_us = [this] { return now_us; };
    spool = host(event_spool, std::move(options), event_spool_peers{writer, reader});
  }

  static raised_event_ptr event(std::string text, severity how = severity::info) {
    raised_event out;
    out.severity = how;
    out.type = "test.event";
    out.text = std::move(text);
    return std::make_shared<const raised_event>(std::move(out));
  }

  caf::expected<caf::ok_atom> try_raise(std::string text, severity how = severity::info) {
    return try_ask<caf::ok_atom>(spool, atom::raise_v, event(std::move(text), how));
  }
  void raise(std::string text, severity how = severity::info) {
    ask<caf::ok_atom>(spool, atom::raise_v, event(std::move(text), how));
  }
  spool_batch_ptr next(const event_position& after, std::uint32_t bytes_max = 64 * 1024) {
    return ask<spool_batch_ptr>(spool, atom::next_v, after, bytes_max);
  }
  void acknowledge(const event_position& position) {
    self->send(spool, atom::acked_v, position);
    settle();
  }
  std::uint64_t count() { return ask<std::uint64_t>(spool, atom::count_v); }

  /// Everything behind a position, as the connection would fetch it.
  std::vector<named_event> all(event_position after = {}, std::uint32_t bytes_max = 1'000) {
    std::vector<named_event> out;
    for (auto batch = next(after, bytes_max); !batch->events.empty(); batch = next(after, bytes_max)) {
      CHECK(batch->after == after);
      for (const auto& item : batch->events)
        out.push_back({batch->epoch, item});
      after = {batch->epoch, batch->events.back().sequence};
    }
    return out;
  }

  std::int64_t now_us = 1'700'000'000'000'000;
  store_writer_actor writer;
  store_reader_actor reader;
  event_spool_actor spool;
  static inline std::uint64_t epochs_drawn = 100;
};

inline std::vector<std::string> texts_of(const std::vector<named_event>& events) {
  std::vector<std::string> out;
  for (const auto& one : events)
    if (!one.item.gap)
      out.push_back(one.item.text);
  return out;
}

/// Within each epoch sequences grow, and whatever is missing between the first and the last one is
/// accounted for by gap records. Answers how many events the records stand for.
inline std::uint64_t check_gapless(const std::vector<named_event>& events) {
  std::uint64_t lost = 0;
  std::uint64_t missing = 0;
  for (std::size_t i = 0; i < events.size(); ++i) {
    const auto& item = events[i].item;
    const bool same = i > 0 && events[i - 1].epoch == events[i].epoch;
    auto first = item.sequence;
    if (item.gap) {
      CHECK(item.type == "spool.gap");
      CHECK(item.gap->last == item.sequence);
      CHECK(item.gap->count <= item.gap->last - item.gap->first + 1);
      lost += item.gap->count;
      first = item.gap->first;
    }
    if (same) {
      REQUIRE(item.sequence > events[i - 1].item.sequence);
      missing += item.sequence - events[i - 1].item.sequence - (item.gap ? 0 : 1);
    } else if (item.gap) {
      missing += item.sequence - first + 1;
    }
  }
  CHECK(missing == lost);
  return lost;
}

} // namespace muster::test
