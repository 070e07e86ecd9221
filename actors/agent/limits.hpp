#pragma once
// Every bound on what the agent keeps, in one place; what it may change by settings is in options.

#include <chrono>
#include <cstddef>
#include <cstdint>

namespace muster::actors::limits {

using namespace std::chrono_literals;

// -- an event, whoever raises it; longer ones are cut ---------------------------------------------

inline constexpr std::size_t event_type_bytes_max = 64;
inline constexpr std::size_t event_text_bytes_max = 2 * 1024;
inline constexpr std::size_t event_attributes_max = 32;
inline constexpr std::size_t event_key_bytes_max = 64;
inline constexpr std::size_t event_value_bytes_max = 512;

// -- the spool ------------------------------------------------------------------------------------

/// Events that wait for the disk; the next one is refused.
inline constexpr std::size_t raises_waiting_max = 1'000;
/// Bytes of one commit of the spool.
inline constexpr std::size_t spool_commit_bytes_max = 256 * 1024;
/// When it must drop it makes room for this share of its bound at once: one look through the spool
/// for many events.
inline constexpr std::uint64_t spool_slack_divisor = 64;
/// Until what could not be erased is tried again.
inline constexpr auto spool_retry = 5s;

// -- local socket ---------------------------------------------------------------------------------

/// Users whose rate is remembered; the one who was silent longest makes room.
inline constexpr std::size_t local_users_max = 256;
inline constexpr std::uint32_t local_events_per_second = 10;
inline constexpr std::uint32_t local_events_burst = 50;
inline constexpr std::uint32_t local_root_events_per_second = 1'000;
inline constexpr std::uint32_t local_root_events_burst = 5'000;
/// Requests that wait for an answer; the next one is refused.
inline constexpr std::size_t local_requests_max = 128;
/// Of a text in an answer, most of which come from the server.
inline constexpr std::size_t local_text_bytes_max = 1'024;
/// Applications that the status names; an answer must stay below what the socket takes.
inline constexpr std::size_t local_applications_max = 32;
/// Reasons for which wakes were refused, as an asker remembers them.
inline constexpr std::size_t local_reasons_max = 32;

// -- what is said of the machine; servers take no more ---------------------------------------------

inline constexpr std::size_t addresses_max = 1'024;
inline constexpr int users_max = 1'024;

// -- settings of applications; servers take no more --------------------------------------------------

inline constexpr std::size_t connectors_max = 64;
/// Of what an application's check, reload or connector has to say.
inline constexpr std::size_t settings_detail_bytes_max = 2 * 1024;
/// Of what was changed by hand and stands, and of what a daemon says it has; canonical forms. With
/// `connectors_max` of each a section stays below what a server takes.
inline constexpr std::size_t local_values_bytes_max = 16 * 1024;
inline constexpr std::size_t daemon_values_bytes_max = 32 * 1024;
/// Settings that a hand may change at once; more is another file.
inline constexpr std::size_t hand_changes_max = 1'000;
/// Repairs of one application in between are counted, and told with the next.
inline constexpr auto repairs_told_every = 60s;

// -- supervision ----------------------------------------------------------------------------------

/// Children of the agent may die so often within the window; once more ends the agent.
inline constexpr std::size_t agent_restarts_max = 5;
inline constexpr auto agent_restart_window = 60s;
/// Pause before a child is started again, so that a child in trouble does not spin.
inline constexpr auto agent_restart_pause = 500ms;

// -- enrolment ------------------------------------------------------------------------------------

/// How long the server may take to answer an enrolment request.
inline constexpr auto enrolment_answer_max = 30s;

} // namespace muster::actors::limits
