#pragma once
// Which run of a task is meant, and what holds when device and server remember it differently.

#include "actors/rules/ids.hpp"
#include "actors/rules/task_state.hpp"
#include "actors/rules/time_zone.hpp"

#include <compare>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

namespace muster::rules {

using task_id = id128<struct task_tag>;
/// Drawn by the server each time that somebody asks for a run.
using request_id = id128<struct request_tag>;

/// A run: of a task in one of its revisions, for a reason. On a device there is at most one run of
/// the same name, ever; it is on the agent's disk before its process starts.
struct task_run {
  task_id task;
  std::uint32_t revision = 0;
  /// The time at which it was due (for what is started by an event: at which that happened), or who
  /// asked.
  std::variant<utc_seconds, request_id> cause;

  friend auto operator<=>(const task_run&, const task_run&) = default;

  [[nodiscard]] bool is_request() const noexcept { return cause.index() == 1; }
  /// "<32 digits>.<revision>.t<seconds>" or "....r<32 digits>": also good as a file's name.
  [[nodiscard]] std::string text() const;
  /// Only what `text` writes.
  [[nodiscard]] static std::optional<task_run> from_text(std::string_view text) noexcept;
};

/// What comes of comparing the two records of one run. That is done whenever either side may
/// remember less than it once knew: the device or the server was set back to a snapshot. Until then
/// the device starts nothing that the server asked for; what is on its own schedule it may start,
/// and if it had already run, that shows here as `two_outcomes`.
enum class settlement : std::uint8_t {
  agree,        ///< nothing to do
  deliver,      ///< the device has yet to get it
  server_takes, ///< the device is further; the server records that
  agent_takes,  ///< the server knows its outcome; the device records that and does not run it
  unknown, ///< the server knows that the device had it, and the device no longer does or has not
           ///< come as far: it may have run. Both record `interrupted`; it does not run again
  adopted, ///< the server has never heard of it, being the one that was set back: it takes the
           ///< device's word
  two_outcomes, ///< it ran again after it had ended. The server's record stays, the second outcome
                ///< is kept beside it and shown as a repetition
};

struct settled {
  settlement how = settlement::agree;
  std::optional<task_state> server; ///< what the server has recorded then
  std::optional<task_state> agent;  ///< what the device has
  bool may_start = false;           ///< the device may start it when its time comes
  friend bool operator==(const settled&, const settled&) = default;
};

/// Empty: has no record of it.
[[nodiscard]] settled settle(std::optional<task_state> server,
                             std::optional<task_state> agent) noexcept;

[[nodiscard]] std::string_view name_of(settlement how) noexcept;

} // namespace muster::rules

template <>
struct std::hash<muster::rules::task_run> {
  std::size_t operator()(const muster::rules::task_run& run) const noexcept {
    std::size_t out = std::hash<muster::rules::task_id>{}(run.task) ^ run.revision;
    if (const auto* request = std::get_if<muster::rules::request_id>(&run.cause))
      out ^= std::hash<muster::rules::request_id>{}(*request);
    else
      out ^= static_cast<std::size_t>(
               std::get<muster::rules::utc_seconds>(run.cause).time_since_epoch().count()) *
             0x9e3779b97f4a7c15U;
    return out;
  }
};
