#pragma once
// An audit entry as a change of the store, to go into the batch of what it tells about.

#include "actors/messages.hpp"
#include "storage/store.hpp"

#include <cstdint>

namespace muster::actors {

/// `number` tells apart what happened in one microsecond: a random number will do.
[[nodiscard]] storage::change audit_change(const audit_entry& entry, std::int64_t time_us,
                                           std::uint64_t number);
/// With a random number.
[[nodiscard]] storage::change audit_change(const audit_entry& entry, std::int64_t time_us);

} // namespace muster::actors
