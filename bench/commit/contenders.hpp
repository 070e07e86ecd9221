#pragma once
// The two that make events durable: our writer actor, and RocksDB with nobody between.

#include "bench/commit/workload.hpp"

#include <filesystem>
#include <memory>

namespace muster::bench {

class contender {
public:
  virtual ~contender() = default;
  /// Makes the round durable, every append acknowledged after its fsync; answers the seconds that
  /// took.
  [[nodiscard]] virtual double play(const std::vector<sender_load>& round) = 0;
  /// Commits so far.
  [[nodiscard]] virtual std::uint64_t commits() const = 0;
};

/// store_writer as the server runs it: detached, on rocks_store; a sender is an actor.
[[nodiscard]] std::unique_ptr<contender> make_writer(const std::filesystem::path& directory);

/// One thread that has all changes encoded and writes one synced batch after the other.
[[nodiscard]] std::unique_ptr<contender> make_bare(const std::filesystem::path& directory);

} // namespace muster::bench
