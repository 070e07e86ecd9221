#pragma once
// Events as actors hand them on, to the records and keys under which they are kept. Pure; its name
// marks it as a border file: it knows the messages of actors/ and the records of storage/.

#include "actors/protocol.hpp"
#include "storage/store.hpp"

#include <caf/error.hpp>

#include <cstdint>
#include <optional>

namespace muster::storage {

/// Why these events cannot be stored, if they cannot: none at all or more than
/// limits::append_events_max, sequences that do not grow, a severity that is none.
[[nodiscard]] std::optional<caf::error> unfit(const actors::event_append& what);

/// Whose position these events move: the device's, unless somebody else numbers them.
[[nodiscard]] const actors::device_id& numbered_by(const actors::event_append& what);

/// The position behind these events. Not for what is unfit.
[[nodiscard]] actors::event_position position_behind(const actors::event_append& what);

/// Checks and encodes the events, which is most of the work of storing them. Whoever asks the
/// writer does this first, as the last thing that is done to the append. What is unfit stays
/// unprepared.
void prepare(actors::event_append& what);

/// The changes that store what was prepared, as received at this moment. In two parts, because they
/// want to be written in different orders: blocks by severity, whose keys grow with time ...
void append_blocks(const actors::event_append& what, std::int64_t received_us, change_batch& to);
/// ... and what is filed under the device: index entries and the new position.
void append_entries(const actors::event_append& what, std::int64_t received_us, change_batch& to);

} // namespace muster::storage
