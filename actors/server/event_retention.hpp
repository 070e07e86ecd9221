#pragma once
// Which days of events are to go: by age, by severity, and when all together are too large. Pure
// but for reading the store.

#include "storage/store.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <system_error>

namespace muster::actors {

inline constexpr std::size_t event_severities = 4;

struct retention_rules {
  /// Whole UTC days that are kept beside the present one. Index: severity - 1.
  std::array<std::uint32_t, event_severities> days{};
  /// Of blocks and their index as the store keeps them; 0: any size. When there is more, the oldest
  /// day of the lowest severity goes first, as in an agent's spool; the present day never goes.
  std::uint64_t bytes_max = 0;
};

/// Days before these are gone already, as far as we know; looking for them again would mean to step
/// over all that is left of them. Index: severity - 1.
using retention_marks = std::array<std::uint32_t, event_severities>;

struct retention_plan {
  std::uint32_t day = 0; ///< by which ages were counted; the present one, unless the clock has jumped
  /// The first day that has events; and the first that keeps them, every day before is to go.
  /// Index: severity - 1.
  retention_marks oldest{};
  retention_marks first_kept{};
  std::uint64_t bytes_kept = 0;
  std::uint64_t days_gone = 0; ///< that had events
};

/// Looks which days there are, and how large they are when it matters. Bounded by the number of
/// days (fleet_limits::days_max), not by the events in them.
///
/// The clock alone is not believed: one that jumps years ahead would have everything erased. Ages
/// are counted by the last day that is reached from the oldest events without a gap of more than
/// retention_gap_days, or by the day behind `last_day`, which the look before went by, whichever is
/// later; never by a day that is not yet. So after a gap (the server was off for months, or the
/// clock is wrong) days are forgotten one with each look, until all is caught up with.
[[nodiscard]] std::error_code plan_retention(const storage::store& db, const retention_rules& rules,
                                             std::uint32_t today,
                                             const std::optional<std::uint32_t>& last_day,
                                             const retention_marks& gone, retention_plan& out);

/// The changes that carry it out, blocks and index together.
[[nodiscard]] storage::change_batch retention_changes(const retention_plan& plan);

} // namespace muster::actors
