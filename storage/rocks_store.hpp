#pragma once
// The store on RocksDB: what the server and the agent's spool run on.
//
// A full disk never reaches RocksDB if we can help it: before every write the volume is asked, and
// below the reserve the write is refused with errc::disk_full while flushes and compactions still
// have room. What makes room, and what cannot wait (store.hpp), is written until three quarters of
// the reserve are gone, too. Where RocksDB hit the wall all the same (somebody else filled the disk), the next
// write after there is room again wakes it up. A failed fsync is final: from then on every write
// answers errc::sync_failed until the process is started anew.

#include "storage/store.hpp"

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <system_error>

namespace muster::storage {

struct rocks_options {
  std::filesystem::path directory;
  /// server: sized for a fleet; up to 64 MB of memtables and 64 MB of block cache.
  /// spool: as small as it gets, for an agent's few events (memtable 256 KB, no block cache, two
  /// background threads, every family in one place).
  enum class size { server, spool } profile = size::server;
  int open_files_max = 512;
  /// Writes are refused when fewer bytes are free on the volume. Empty: 128 MB for a server, which
  /// is what memtables and logs can grow to; 8 MB for a spool. A quarter of it is for nobody.
  std::optional<std::uint64_t> reserve_bytes = {};
};

/// What stands for an empty reserve_bytes.
[[nodiscard]] std::uint64_t default_reserve_bytes(const rocks_options& options);

/// Opens or makes the store (directory included). After a kill or a power loss this alone recovers:
/// nothing has to be repaired. nullptr on failure: errc::locked, not_permitted, newer_format,
/// disk_full, corrupt or io_error, and `problem` is one clear sentence that names the directory and
/// what to do. Thread-safe as store says. Destroy it after the actor system.
[[nodiscard]] std::unique_ptr<store> open_rocks_store(const rocks_options& options,
                                                      std::error_code& ec, std::string& problem);

} // namespace muster::storage
