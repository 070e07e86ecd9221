#pragma once
// An audit entry as a change of the store, to go into the batch of what it tells about.

#include "actors/messages.hpp"
#include "storage/store.hpp"

#include <cstdint>

namespace muster::actors {

/// What happened in one microsecond is told apart, and kept in order, by a count of this process
/// that begins at a random number. Callable from any thread.
[[nodiscard]] storage::change audit_change(const audit_entry& entry, std::int64_t time_us);

} // namespace muster::actors
