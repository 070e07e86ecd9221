#pragma once
// One page of devices out of a page of each shard. Pure.

#include "actors/messages.hpp"

#include <cstddef>
#include <cstdint>
#include <vector>

namespace muster::actors::api {

struct merged_devices {
  std::vector<device_row> rows;
  std::uint64_t matching = 0;
  bool more = false;           ///< may be said although there is none, never the other way round
};

/// Every page is of the same query, sorted by name, then id; each has up to `limit` rows.
/// `from_start`: the query had no cursor. A row is the `same_machine` as another when any two rows
/// of the answers have the same fingerprint, shards or not.
[[nodiscard]] merged_devices merge_devices(const std::vector<device_page_ptr>& pages,
                                           std::size_t limit, bool from_start);

} // namespace muster::actors::api
