#include "storage/rocks_settings.hpp"

#include "storage/errc.hpp"
#include "storage/limits.hpp"

#include <rocksdb/cache.h>
#include <rocksdb/filter_policy.h>
#include <rocksdb/table.h>

namespace muster::storage {

namespace {

constexpr std::size_t kilobyte = 1024;
constexpr std::size_t megabyte = 1024 * kilobyte;

// What all families of a server share.
constexpr std::size_t memtables_bytes_max = 64 * megabyte;
constexpr std::size_t logs_bytes_max = 64 * megabyte;
constexpr std::size_t cache_bytes = 64 * megabyte;

struct family_shape {
  const char* name;
  std::size_t memtable_bytes;
  std::size_t block_bytes;
  rocksdb::CompressionType compression;
  bool read_by_key; ///< worth a bloom filter
};

// In the order of `family`. Small blocks and LZ4 where single records are read; sections are
// compressed by whoever writes them. The index is long keys and nothing else: zstd takes three
// quarters of what prefix sharing leaves.
constexpr family_shape shapes[families] = {
  {"default", 1 * megabyte, 4 * kilobyte, rocksdb::kLZ4Compression, true},
  {"devices", 16 * megabyte, 4 * kilobyte, rocksdb::kLZ4Compression, true},
  {"inventory", 16 * megabyte, 16 * kilobyte, rocksdb::kNoCompression, true},
  {"index", 16 * megabyte, 16 * kilobyte, rocksdb::kZSTD, false},
  {"events", 16 * megabyte, 16 * kilobyte, rocksdb::kZSTD, false},
  {"audit", 1 * megabyte, 16 * kilobyte, rocksdb::kZSTD, false},
};

bool is_spool(const rocks_options& options) {
  return options.profile == rocks_options::size::spool;
}

rocksdb::ColumnFamilyOptions server_family(const family_shape& shape,
                                           const std::shared_ptr<rocksdb::Cache>& cache) {
  rocksdb::BlockBasedTableOptions table;
  table.block_size = shape.block_bytes;
  table.block_cache = cache;
  // Filters and indexes count against the cache: memory stays bounded however large the store is.
  table.cache_index_and_filter_blocks = true;
  table.pin_l0_filter_and_index_blocks_in_cache = true;
  table.format_version = 5;
  if (shape.read_by_key) {
    table.filter_policy.reset(rocksdb::NewBloomFilterPolicy(10, false));
    table.whole_key_filtering = true;
  }
  rocksdb::ColumnFamilyOptions out;
  out.write_buffer_size = shape.memtable_bytes;
  out.max_write_buffer_number = 3;
  out.compression = shape.compression;
  out.level_compaction_dynamic_level_bytes = true;
  out.target_file_size_base = 32 * megabyte;
  out.max_bytes_for_level_base = 128 * megabyte;
  // No prefix extractor: it can hide keys from scans.
  out.table_factory.reset(rocksdb::NewBlockBasedTableFactory(table));
  return out;
}

rocksdb::ColumnFamilyOptions spool_family() {
  rocksdb::BlockBasedTableOptions table;
  table.no_block_cache = true;
  table.block_size = 4 * kilobyte;
  rocksdb::ColumnFamilyOptions out;
  out.write_buffer_size = 256 * kilobyte;
  out.arena_block_size = 16 * kilobyte;
  out.max_write_buffer_number = 2;
  out.compression = rocksdb::kNoCompression;
  out.target_file_size_base = 1 * megabyte;
  out.max_bytes_for_level_base = 4 * megabyte;
  out.level0_file_num_compaction_trigger = 2;
  out.table_factory.reset(rocksdb::NewBlockBasedTableFactory(table));
  return out;
}

} // namespace

rocksdb::DBOptions database_settings(const rocks_options& options) {
  rocksdb::DBOptions out;
  out.create_if_missing = true;
  out.create_missing_column_families = true;
  out.max_open_files = options.open_files_max;
  // After a power loss everything up to the last fsync is there; what was torn behind it is not.
  out.wal_recovery_mode = rocksdb::WALRecoveryMode::kPointInTimeRecovery;
  // A cold family would otherwise keep every log since its last flush.
  out.max_total_wal_size = logs_bytes_max;
  out.db_write_buffer_size = memtables_bytes_max;
  out.max_background_jobs = 2;
  out.bytes_per_sync = 1 * megabyte;
  // The log has it all; flushing it at the end only makes stops slow.
  out.avoid_flush_during_shutdown = true;
  // We resume when there is room and somebody writes; RocksDB's own attempts would spin.
  out.max_bgerror_resume_count = 0;
  out.stats_dump_period_sec = 0;
  out.stats_persist_period_sec = 0;
  out.info_log_level = rocksdb::WARN_LEVEL;
  out.keep_log_file_num = 2;
  out.max_log_file_size = 1 * megabyte;
  out.max_manifest_file_size = 16 * megabyte;
  if (is_spool(options)) {
    out.max_total_wal_size = 1 * megabyte;
    out.db_write_buffer_size = 0;
    out.max_background_jobs = 1;
    out.bytes_per_sync = 0;
    out.table_cache_numshardbits = 0;
    out.max_file_opening_threads = 1;
    out.max_manifest_file_size = 64 * kilobyte;
    out.manifest_preallocation_size = 16 * kilobyte;
    out.max_log_file_size = 64 * kilobyte;
    out.allow_concurrent_memtable_write = false;
    out.enable_write_thread_adaptive_yield = false;
  }
  return out;
}

std::vector<rocksdb::ColumnFamilyDescriptor> family_settings(const rocks_options& options) {
  if (is_spool(options))
    return {{shapes[0].name, spool_family()}};
  const auto cache = rocksdb::NewLRUCache(cache_bytes);
  std::vector<rocksdb::ColumnFamilyDescriptor> out;
  for (const auto& shape : shapes)
    out.emplace_back(shape.name, server_family(shape, cache));
  return out;
}

std::uint64_t default_reserve_bytes(const rocks_options& options) {
  return is_spool(options) ? 8 * megabyte : memtables_bytes_max + logs_bytes_max;
}

std::size_t kept_batch_bytes(const rocks_options& options) {
  return is_spool(options) ? 8 * kilobyte : 2 * limits::batch_bytes_max;
}

std::error_code translate(const rocksdb::Status& status) {
  if (status.ok())
    return {};
  if (status.IsNoSpace() || status.subcode() == rocksdb::Status::kSpaceLimit)
    return errc::disk_full;
  if (status.IsCorruption())
    return errc::corrupt;
  // RocksDB has these only in words.
  const auto text = status.ToString();
  const auto says = [&](const char* words) { return text.find(words) != std::string::npos; };
  if (says("lock hold by current process") || says("While lock file"))
    return errc::locked;
  if (says("Permission denied") || says("Read-only file system") || says("not permitted"))
    return errc::not_permitted;
  if (says("Column families not opened") || says("Unknown WriteBatch tag"))
    return errc::newer_format;
  return errc::io_error;
}

} // namespace muster::storage
