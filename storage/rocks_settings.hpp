#pragma once
// How RocksDB is set up for our two uses, apart from what is done with it. Only for rocks_store.cpp
// and its tests.

#include "storage/rocks_store.hpp"

#include <rocksdb/db.h>
#include <rocksdb/options.h>
#include <rocksdb/status.h>

#include <system_error>
#include <vector>

namespace muster::storage {

/// Options of the whole database; without listeners.
[[nodiscard]] rocksdb::DBOptions database_settings(const rocks_options& options);

/// One column family per `family`, in its order (family::meta is RocksDB's "default"); for a spool
/// the default family alone.
[[nodiscard]] std::vector<rocksdb::ColumnFamilyDescriptor>
family_settings(const rocks_options& options);


/// How much memory of a batch that was written is kept for the next one.
[[nodiscard]] std::size_t kept_batch_bytes(const rocks_options& options);

/// The one place where a status becomes an error of ours. Never for a failed fsync: only the caller
/// knows that it was one.
[[nodiscard]] std::error_code translate(const rocksdb::Status& status);

} // namespace muster::storage
