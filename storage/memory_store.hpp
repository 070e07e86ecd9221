#pragma once
// The store in memory, with faults on demand; for tests and simulation.
//
// Behaves as rocks_store does (tests/storage holds both to one list of promises) and adds what a
// test needs to be cruel: failing and slow writes, a disk of any size, and what a power loss
// leaves.

#include "storage/errc.hpp"
#include "storage/store.hpp"

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>

namespace muster::storage {

/// Thread-safe; scans see the store as of their beginning by keeping writers out until they end.
/// A visitor may read, not write. Bounded by nothing but the test.
class memory_store final : public store {
public:
  std::error_code write_sync(std::span<const change_batch> batches,
                             room may_use = room::common) override;
  std::error_code write(std::span<const change_batch> batches,
                        room may_use = room::common) override;
  std::error_code sync() override;
  std::optional<std::string> get(family f, std::string_view key,
                                 std::error_code& ec) const override;
  std::error_code scan(family f, const key_range& range, bool reverse,
                       const visitor& visit) const override;
  space measure() const override;
  std::uint64_t measure(family f, const key_range& range) const override;

  /// From now on writes answer this (nothing is applied); empty: they work again. Syncs fail with
  /// errc::sync_failed alone: what is written has its room.
  /// errc::sync_failed sticks, as on a disk.
  void fail_writes(std::error_code ec);
  /// From now on (true) there is only the last room: other writes answer errc::disk_full.
  void run_low(bool low);
  /// Only the next `n` writes and syncs fail.
  void fail_next_writes(std::size_t n, std::error_code ec);
  /// From now on reads answer this; empty: they work again.
  void fail_reads(std::error_code ec);
  /// Called inside every write_sync and sync before it is applied, by the caller's thread and
  /// without a lock held: block here to be a slow disk, look here to see what is not yet durable.
  void on_sync(std::function<void()> hook);
  /// What a power loss would leave: everything synced, nothing else.
  [[nodiscard]] std::unique_ptr<memory_store> after_power_loss() const;

  [[nodiscard]] std::size_t syncs() const;  ///< write_sync and sync calls that succeeded
  [[nodiscard]] std::size_t writes() const; ///< write_sync and write calls that succeeded
  [[nodiscard]] std::size_t keys(family f) const;
  /// What measure() answers as free.
  void set_free_bytes(std::uint64_t bytes);

private:
  using contents = std::map<std::string, std::string, std::less<>>;
  using tables = std::array<contents, families>;
  std::error_code fault();
  std::error_code apply(std::span<const change_batch> batches, bool durable, room may_use);
  void run_sync_hook();
  static void apply_to(tables& to, std::span<const change_batch> batches);

  mutable std::recursive_mutex mutex_;
  tables current_;
  tables synced_;
  std::vector<change_batch> unsynced_; ///< in current_, not yet in synced_
  std::error_code standing_fault_;
  std::error_code passing_fault_;
  std::error_code read_fault_;
  std::size_t passing_faults_ = 0;
  bool low_ = false;
  std::function<void()> sync_hook_;
  std::size_t syncs_ = 0;
  std::size_t writes_ = 0;
  std::uint64_t free_bytes_ = std::uint64_t{1} << 40;
};

} // namespace muster::storage
