#pragma once
// How the agent is doing, as it says to the programs of its machine, and as people read it. Pure.

#include <chrono>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>

namespace muster::actors {

/// Times are microseconds since 1970; 0: never.
struct local_status {
  std::string version;
  std::string connection;            ///< one line of all that matters
  std::uint64_t events_waiting = 0;

  std::string device;                ///< hexadecimal
  std::string server;                ///< HOST:PORT as it is dialled
  std::string address;               ///< of the server, as last connected to
  std::string transport;             ///< "tls", "plain"
  bool connected = false;
  bool keep = false;
  std::int64_t next_attempt_us = 0;  ///< 0: nothing speaks against one now
  std::string last_error;
  std::int64_t last_error_us = 0;
  std::string refusal;               ///< word_of_refusal(), when the server does not want this device

  std::uint64_t syncs = 0;           ///< since the agent started
  std::int64_t last_sync_us = 0;
  std::int64_t next_sync_us = 0;
  std::chrono::milliseconds sync_period{0};

  std::uint16_t wake_port = 0;       ///< UDP; 0: it does not listen
  std::string wake_problem;          ///< why not, when it should
  bool wake_keys = false;            ///< without them nothing that comes there can be believed
  std::uint64_t wakes = 0;           ///< taken since the agent started
  std::map<std::string, std::uint64_t> wakes_refused; ///< by reason; what has not happened is not there

  std::uint64_t acknowledgements_refused = 0; ///< of notices

  /// How the settings of applications stand: "applied", "refused: why". The first
  /// limits::local_applications_max by name.
  std::map<std::string, std::string> applications;

  std::int64_t certificate_ends_s = 0; ///< seconds since 1970
  std::int64_t clock_offset_ms = 0;    ///< the server's clock less ours, at the last welcome
  std::int64_t clock_told_us = 0;
};

/// Whom the server refuses, by the number of wire::refusal: "revoked", "unknown device" ...; empty
/// for 0.
[[nodiscard]] std::string word_of_refusal(std::uint32_t reason);

/// Fills in the applications from the section's canonical form (wire::settings_states).
void add_applications(local_status& status, std::string_view states);

/// An answer to a request for the status: {"ok":true,...}. Long texts are cut.
[[nodiscard]] std::string status_answer(const local_status& status);
/// What is missing or of another kind stays as it is in an empty one; reasons beyond
/// limits::local_reasons_max are left out. For who has found `text` to be an answer.
[[nodiscard]] local_status parse_status_answer(std::string_view text);

/// A few lines of a label and a value each.
[[nodiscard]] std::string status_lines(const local_status& status, std::int64_t now_us);

/// Without control characters: texts of the server go to a terminal.
[[nodiscard]] std::string printable(std::string text);

/// "3 s", "12 min", "5 h", "40 days", for people; never negative.
[[nodiscard]] std::string span_text(std::chrono::milliseconds span);

} // namespace muster::actors
