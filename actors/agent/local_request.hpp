#pragma once
// What another program of this machine may ask the agent: one JSON object. Pure.

#include "actors/messages.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace muster::actors {

/// A parsed request.
///
///     {"do":"event","severity":"warning","text":"...","type":"backup.late","attributes":{"k":"v"}}
///     {"do":"status"}
///     {"do":"sync"}
struct local_order {
  enum class kind : std::uint8_t { event, status, sync };
  kind what = kind::status;
  raised_event event; ///< kind::event; its type begins with `local.`
};

/// Empty with a sentence in `problem` on anything that is no request: too long, no JSON, an unknown
/// member or value, a text that is not UTF-8. Bounds as for every event (agent/limits.hpp); beyond
/// them it is refused, not cut. Severity may be left out (info), type too (local.event).
[[nodiscard]] std::optional<local_order> parse_local_request(std::string_view text,
                                                             std::string& problem);

/// Requests as programs of ours make them.
[[nodiscard]] std::string local_event_request(const raised_event& event);
[[nodiscard]] std::string local_status_request();
[[nodiscard]] std::string local_sync_request();

/// Answers: {"ok":true,...} and {"ok":false,"error":"..."}.
struct local_status {
  std::string version;
  std::string connection;
  std::uint64_t events_waiting = 0;
};
[[nodiscard]] std::string local_ok();
[[nodiscard]] std::string local_ok(const local_status& status);
[[nodiscard]] std::string local_error(std::string_view why);

/// What an answer says, for the asking side; `ok` false with a sentence when it is none.
struct local_answer {
  bool ok = false;
  std::string error;
  local_status status; ///< when asked for
};
[[nodiscard]] local_answer parse_local_answer(std::string_view text);

/// "info", "warning", "critical", "failure".
[[nodiscard]] const char* word_of(severity how);
[[nodiscard]] std::optional<severity> severity_of(std::string_view word);

} // namespace muster::actors
