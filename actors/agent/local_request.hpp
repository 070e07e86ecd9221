#pragma once
// What another program of this machine may ask the agent: one JSON object. Pure.

#include "actors/agent/local_status.hpp"
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
///     {"do":"wake-test"}
///     {"do":"reload"}
struct local_order {
  enum class kind : std::uint8_t { event, status, sync, wake_test, reload };
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
/// Requests that say no more than what is to be done.
[[nodiscard]] std::string local_request_for(local_order::kind what);

/// Answers: {"ok":true,...} and {"ok":false,"error":"..."}. For the status: agent/local_status.hpp.
[[nodiscard]] std::string local_ok();
/// {"ok":true,"sent":...,"arrived":...,"took_ms":...,"text":"..."}
[[nodiscard]] std::string local_ok(const wake_probe& result);
[[nodiscard]] std::string local_error(std::string_view why);

/// What an answer says, for the asking side; `ok` false with a sentence when it is none.
struct local_answer {
  bool ok = false;
  std::string error;
  local_status status; ///< when asked for
  wake_probe wake;     ///< when asked for
};
[[nodiscard]] local_answer parse_local_answer(std::string_view text);

/// "info", "warning", "critical", "failure".
[[nodiscard]] const char* word_of(severity how);
[[nodiscard]] std::optional<severity> severity_of(std::string_view word);

} // namespace muster::actors
