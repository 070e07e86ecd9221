#pragma once
// Syncs the store's log, so that the writer need not wait for the disk.

#include "actors/protocol.hpp"
#include "storage/store.hpp"

namespace muster::storage {

/// The store outlives it. Fails with errc::sync_failed as caf::error.
actors::log_syncer_actor::behavior_type log_syncer(actors::log_syncer_actor::pointer self,
                                                   store* db);

} // namespace muster::storage
