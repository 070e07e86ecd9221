#pragma once
// What a group, policy, moving rule or task was after each change, newest first. Bounded; for
// readers' threads.

#include "storage/keys.hpp"
#include "storage/records.hpp"
#include "storage/store.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <system_error>
#include <vector>

namespace muster::storage {

struct fleet_history_query {
  keys::fleet_key of;                       ///< actors/server/fleet_store.hpp makes it
  std::optional<std::uint64_t> before = {}; ///< only revisions below this one
  std::size_t limit = 100;                  ///< at most limits::query_rows_max count
};

struct fleet_history_page {
  /// Each with revision, time, by whom, spec, and whether it was removed then. Together no more
  /// than limits::query_bytes_max of specs, but one entry at least, if there is one.
  std::vector<record::fleet_object> entries;
  std::optional<std::uint64_t> next; ///< `before` of the next page; empty: no older ones
};

/// `out` is replaced.
[[nodiscard]] std::error_code
find_fleet_history(const store& from, const fleet_history_query& query, fleet_history_page& out);

} // namespace muster::storage
