#pragma once
// How many devices were enrolled from one machine, over all shards of the directory.

#include "actors/rules/ids.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <unordered_map>
#include <vector>

namespace muster::actors {

/// Shards are dealt by device, so two devices of one machine are in different ones, and a list of a
/// thousand rows would have to ask all of them; here it costs a lock held for nanoseconds.
///
/// Keeps eight bytes of each fingerprint in an open table (10-20 bytes a machine), and a count for
/// the few machines with more than one device. Two machines that agree in those bytes, one pair in
/// tens of millions of fleets of a million, would be shown as the same. Thread-safe.
class machine_census {
public:
  void add(const rules::machine_fingerprint& machine);
  void remove(const rules::machine_fingerprint& machine);
  /// Whether more than one device was enrolled from this machine.
  [[nodiscard]] bool several(const rules::machine_fingerprint& machine) const;
  /// Room for so many machines, so that filling it does not make it grow.
  void reserve(std::size_t machines);

private:
  [[nodiscard]] std::size_t place_of(std::uint64_t mark) const;
  void grow(std::size_t places);

  mutable std::mutex mutex_;
  std::vector<std::uint64_t> marks_; ///< zero: free; a power of two, at most 3/4 full
  std::size_t used_ = 0;
  std::unordered_map<std::uint64_t, std::uint32_t> more_; ///< devices of machines that have several
};
using machine_census_ptr = std::shared_ptr<machine_census>;

} // namespace muster::actors
