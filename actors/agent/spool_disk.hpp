#pragma once
// The spool as bytes: records of events, and what a start finds on the disk. No actors.

#include "actors/agent/spool_index.hpp"
#include "actors/messages.hpp"
#include "storage/store.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <system_error>
#include <vector>

namespace muster::actors {

/// Everything within the bounds of agent/limits.hpp and UTF-8; what is longer is cut.
[[nodiscard]] raised_event tidied(const raised_event& event);

/// The change that writes an event under this number.
[[nodiscard]] storage::change put_event(std::uint64_t number, const event_position& name,
                                        const raised_event& event);
/// The change that writes a gap record; `name` is the last event it stands for.
[[nodiscard]] storage::change put_gap(const spool_gap& gap, const event_position& name,
                                      std::int64_t now_ms);
/// The change that names events anew: numbers [first, end) are of this epoch from now on.
[[nodiscard]] storage::change put_naming(std::uint64_t first, std::uint64_t end,
                                         std::uint64_t epoch);
[[nodiscard]] storage::change erase_event(std::uint64_t number);
/// Forgets the numbers [first, end), and that there is anything before `end`.
[[nodiscard]] storage::change_batch erase_events(std::uint64_t first, std::uint64_t end);

/// What a start finds.
struct spool_contents {
  std::vector<spool_found> found;
  /// Among `found`, those that cannot be read: known by their numbers only.
  std::vector<std::uint64_t> unreadable;
  std::uint64_t erased_to = 0;   ///< numbers below are gone for good
  std::uint64_t next_number = 1; ///< all below are used up
};
[[nodiscard]] std::error_code read_contents(const storage::store& from, spool_contents& out);

/// Events of one stretch, oldest first, at most so many bytes of records but at least one event.
struct spool_part {
  std::vector<std::uint64_t> numbers;
  std::vector<event_item> events;
};
[[nodiscard]] std::error_code read_part(const storage::store& from, const spool_stretch& stretch,
                                        std::uint64_t bytes_max, spool_part& out);

} // namespace muster::actors
