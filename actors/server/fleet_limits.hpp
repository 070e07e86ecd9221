#pragma once
// Every bound on what directory, enroller and event_book hold or do at once, in one place.

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>

namespace muster::actors::fleet_limits {

using namespace std::chrono_literals;

// -- directory ------------------------------------------------------------------------------------

/// Devices that one turn of a list or count looks at before others have theirs: about a
/// millisecond.
inline constexpr std::size_t list_slice = 4'096;
/// Lists and counts in work or waiting, per shard; the next one is refused as overloaded.
inline constexpr std::size_t lists_max = 64;
inline constexpr std::uint32_t list_rows_max = 1'000;

/// Newcomers that wait while the same device's admission is being decided.
inline constexpr std::size_t admissions_waiting_max = 2;
/// Admissions in progress, per shard (CAF looks for an answer's asker one by one).
inline constexpr std::size_t admissions_max = 1'000;

/// Reports that one write of the trace class takes; the next slice waits for its answer.
inline constexpr std::size_t trace_slice = 512;
inline constexpr auto trace_period = 5s;
/// What a stop still writes of them; more would keep the server from ending.
inline constexpr std::size_t trace_last_words = 16 * trace_slice;

/// A session that is asked for a sync has so long before its call is only waited for; looked at by
/// the tick of the trace class.
inline constexpr auto call_answer_max = 60s;
/// Calls that are not settled, per device and per shard; the oldest makes room.
inline constexpr std::size_t calls_per_device_max = 8;
inline constexpr std::size_t calls_max = 131'072;
/// Wakes ordered and not answered, per shard; the others wait in line.
inline constexpr std::size_t wakes_max = 2'048;
/// The counter of a wake is hardly ever ahead of the clock; what an agent names beyond is a lie.
inline constexpr std::chrono::microseconds wake_counter_ahead = 24h * 366;
/// Flags of kept connections that one commit takes.
inline constexpr std::size_t keeps_per_batch = 512;

/// Notices on their way to the store, per shard, and of those in one write; tries of one of them.
inline constexpr std::size_t notices_max = 16'384;
inline constexpr std::size_t notices_per_batch = 512;
inline constexpr std::size_t notice_tries_max = 8;

/// Devices that the moving rules may look at in one turn when they have to be read from the store, and
/// that are moved by one commit.
inline constexpr std::size_t placing_reads = 64;
inline constexpr std::size_t placing_moves = 512;
/// Moves that a report tells one by one.
inline constexpr std::size_t placing_told = 1'000;

/// Of the depot of documents, which all shards share: audiences known by name, of some 200 bytes; ways of
/// policies, of some 150; policies put together, of some 50 KB, while manifests are made.
inline constexpr std::size_t audiences_max = 65'536;
inline constexpr std::size_t document_ways_max = 262'144;
inline constexpr std::size_t composed_max = 2'048;
inline constexpr std::size_t documents_bytes_max = 64 * 1024 * 1024;
inline constexpr std::size_t parcels_bytes_max = 16 * 1024 * 1024;
/// Documents that one turn makes anew before others have theirs: about four milliseconds.
inline constexpr std::size_t documents_slice = 16;
/// Data of one answer to wishes; the device asks again for what is left out.
inline constexpr std::size_t fetch_bytes_max = 2 * 1024 * 1024;

/// How long after a removal the store is searched again for what was on its way then.
inline constexpr auto removal_recheck = 60s;
/// Removals being checked at once, per shard.
inline constexpr std::size_t removals_in_work = 16;

/// The same complaint about a device is raised once in so long.
inline constexpr auto complaint_interval = 10min;
inline constexpr std::size_t complaints_max = 10'000;

// -- enroller -------------------------------------------------------------------------------------

inline constexpr std::size_t tokens_max = 10'000;
inline constexpr std::size_t token_name_bytes_max = 128;
/// A token that has been revoked, used up or out of date for so long makes room for new ones.
inline constexpr auto token_kept = 24h * 90;
inline constexpr auto first_token_lifetime = 24h;

/// Enrolments being decided at once.
inline constexpr std::size_t enrolments_max = 256;
/// Retries that wait for the first enrolment of the same key.
inline constexpr std::size_t retries_waiting_max = 4;

/// A source that has shown this many wrong tokens within the window waits for the next one.
inline constexpr std::uint32_t wrong_tokens_max = 10;
inline constexpr auto wrong_tokens_window = 1min;
inline constexpr std::size_t sources_max = 10'000;
/// Wrong tokens are told to the administrator once in so long, with their number.
inline constexpr auto wrong_tokens_told = 1min;

// -- event book -----------------------------------------------------------------------------------

/// Raised events that wait for the disk; what comes beyond is counted and told when there is room.
inline constexpr std::size_t raised_max = 1'000;
/// Of which one append takes so many.
inline constexpr std::size_t raised_per_append = 100;
inline constexpr auto raise_again_after = 5s;
/// That the disk is full again is an event once in so long.
inline constexpr auto disk_told_interval = 10min;

/// Days, by severity: info, warning, critical, failure.
inline constexpr std::array<std::uint32_t, 4> retention_days = {30, 90, 180, 180};
inline constexpr auto retention_period = 1h;
/// Days without any event, after which the clock is not taken at its word.
inline constexpr std::uint32_t retention_gap_days = 7;
/// Days of one severity that one look at their sizes takes in.
inline constexpr std::size_t days_max = 4'000;

} // namespace muster::actors::fleet_limits
