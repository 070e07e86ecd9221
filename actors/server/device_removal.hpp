#pragma once
// What a removed device leaves in the store, as the changes that take it away. Pure but for reading
// the store; CAF-free. Runs on a reader's thread.

#include "actors/rules/ids.hpp"
#include "storage/store.hpp"

#include <system_error>

namespace muster::actors {

/// Appends everything about the device but its events (they go with their day), its key hash (the
/// key stays refused for ever) and the mark of its removal. One batch, so that there is never half
/// a device; bounded as what a sync stores is: by what one list of applications may hold.
[[nodiscard]] std::error_code take_out(const storage::store& db, const rules::device_id& device,
                                       storage::change_batch& to);

} // namespace muster::actors
