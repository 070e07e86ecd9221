#pragma once
// Every bound on what storage holds in memory or does at once, in one place.

#include <chrono>
#include <cstddef>

namespace muster::storage::limits {

using namespace std::chrono_literals;

/// Changes that one commit may gather; the change that reaches it is committed at once.
inline constexpr std::size_t batch_bytes_max = 4 * 1024 * 1024;

/// So much is worth a write of its own while the disk is busy with a sync.
inline constexpr std::size_t overlapping_changes = 256;
inline constexpr std::size_t overlapping_bytes = 64 * 1024;

/// How long a fact may be in the write-ahead log without being safe from a power loss.
inline constexpr auto fact_sync_delay = 1s;

/// Events of one append. A frame has room for more tiny ones: event_stream cuts.
inline constexpr std::size_t append_events_max = 10'000;

/// A block of events is closed when it has this many bytes; a larger event has one to itself.
inline constexpr std::size_t event_block_bytes = 64 * 1024;

/// Positions of devices that the writer remembers, some 80 bytes each; the others are in the store.
inline constexpr std::size_t positions_max = 100'000;

/// What one event query may look at before it hands back what it has and where to go on.
inline constexpr std::size_t query_blocks_max = 20'000;
/// Rows of one answer.
inline constexpr std::size_t query_rows_max = 1'000;
/// Bytes of one answer's events, so that it fits where it has to go in every notation.
inline constexpr std::size_t query_bytes_max = 512 * 1024;
/// Bytes of blocks that a query reads ahead, per severity.
inline constexpr std::size_t query_ahead_bytes = 256 * 1024;

/// Index entries that one application query counts before it ends at the next row.
inline constexpr std::size_t application_entries_max = 2'000'000;

} // namespace muster::storage::limits
