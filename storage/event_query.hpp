#pragma once
// Stored events, newest first: the question behind `muster events`. Pure but for the store; bounded,
// so that a reader's thread is not lost to it.

#include "storage/keys.hpp"
#include "storage/limits.hpp"
#include "storage/records.hpp"
#include "storage/store.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <system_error>
#include <vector>

namespace muster::storage {

/// The last event handed out. Receive times are unique per append, sequences inside it.
struct event_cursor {
  std::int64_t received_us = 0;
  std::uint64_t sequence = 0;
  friend bool operator==(const event_cursor&, const event_cursor&) = default;
};

struct event_query {
  std::optional<keys::device_bytes> device = {}; ///< empty: all
  std::uint8_t severity_min = 1;                 ///< 1-4
  std::int64_t since_us = 0;                     ///< received then or later
  std::int64_t until_us = INT64_MAX;             ///< received before that
  std::optional<event_cursor> after = {};        ///< only what is older than this
  std::size_t limit = 100;                       ///< at most limits::query_rows_max count
  std::size_t blocks_max = limits::query_blocks_max;
  std::size_t bytes_max = limits::query_bytes_max; ///< of content; one event is always handed out
};

struct found_event {
  keys::device_bytes device{};
  std::string device_name;
  std::uint64_t epoch = 0;
  std::int64_t received_us = 0;
  std::int64_t clock_offset_ms = 0;
  std::uint8_t severity = 0;
  record::event content;
};

struct event_page {
  std::vector<found_event> events;
  /// Where to go on; empty: there is nothing older. Can be set with few events, or none, when the
  /// query had looked at `blocks_max` blocks, or had `bytes_max` together.
  std::optional<event_cursor> next;
};

/// Ordered by receive time, then sequence, both from the greatest down. `out` is replaced.
[[nodiscard]] std::error_code find_events(const store& from, const event_query& query,
                                          event_page& out);

} // namespace muster::storage
