#pragma once
// The two that make events durable: our writer actor, and RocksDB with nobody between.

#include "bench/commit/workload.hpp"
#include "bench/cpu.hpp"

#include <chrono>
#include <filesystem>
#include <memory>

namespace muster::bench {

/// What one round took.
struct cost {
  double seconds = 0;
  double cpu_us = 0; ///< of the whole process, RocksDB's background threads included
};

class stopwatch {
public:
  [[nodiscard]] cost read() const {
    const auto time = std::chrono::steady_clock::now() - began_;
    return {std::chrono::duration<double>(time).count(),
            read_us(CLOCK_PROCESS_CPUTIME_ID) - cpu_began_};
  }

private:
  std::chrono::steady_clock::time_point began_ = std::chrono::steady_clock::now();
  double cpu_began_ = read_us(CLOCK_PROCESS_CPUTIME_ID);
};

class contender {
public:
  virtual ~contender() = default;
  /// Makes the round durable, every append acknowledged after its fsync.
  [[nodiscard]] virtual cost play(const std::vector<sender_load>& round) = 0;
  /// Commits so far.
  [[nodiscard]] virtual std::uint64_t commits() const = 0;
};

/// store_writer as the server runs it: detached, on rocks_store; a sender is an actor.
[[nodiscard]] std::unique_ptr<contender> make_writer(const std::filesystem::path& directory);

/// One thread that has all changes encoded and writes one synced batch after the other.
[[nodiscard]] std::unique_ptr<contender> make_bare(const std::filesystem::path& directory);

} // namespace muster::bench
