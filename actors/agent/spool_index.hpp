#pragma once
// Which events the spool holds, and which must go when it is full. Pure: the disk is the actor's.
//
// Every event has a number, its key on the disk: numbers only grow, one after the other. Within an
// epoch the sequence follows from the number (number - offset), so that naming everything anew is a
// matter of the offset. A gap record stands at the number of the last event it stands for.

#include "actors/messages.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <vector>

namespace muster::actors {

struct spool_bounds {
  std::uint64_t bytes_max = 8 * 1024 * 1024;
  std::size_t events_max = 50'000;
  /// Of all bytes and events, events of this severity and lower may take so many per cent; index:
  /// severity - 1. So a flood of the one leaves room for the other.
  std::array<unsigned, 4> percent_max = {50, 75, 90, 100};
  /// Gap records; more are merged, oldest first.
  std::size_t gaps_max = 64;
};

/// One event on the disk.
struct spool_entry {
  std::uint64_t number = 0;
  std::uint32_t bytes = 0;            ///< of its record
  actors::severity severity = severity::info;
  bool is_gap = false;
};

/// Numbers from `first` on belong to this epoch, up to where the next run begins.
struct spool_run {
  std::uint64_t first = 0;
  std::uint64_t epoch = 0;
  std::uint64_t offset = 0;           ///< sequence = number - offset
};

/// A gap by numbers.
struct spool_gap {
  std::uint64_t first = 0;
  std::uint64_t last = 0;             ///< where the record stands
  std::uint64_t count = 0;
};

/// Numbers [first, end) are gone.
struct spool_cut {
  std::uint64_t first = 0;
  std::uint64_t end = 0;
};

/// What one commit changes.
struct spool_plan {
  std::vector<spool_entry> added;        ///< newcomers that stay
  std::vector<bool> stays;               ///< per newcomer
  std::vector<std::uint64_t> erased;     ///< numbers without a record from now on
  std::vector<spool_gap> gaps;           ///< records to write (new or grown)
  std::uint64_t dropped = 0;             ///< events that become gaps
  std::uint64_t end = 0;                 ///< the number behind the last newcomer
};

} // namespace muster::actors
