#pragma once
// What became of a task's run on one device, and who may say so.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace muster::rules {

/// What a device has confirmed about a run. The last six are outcomes: they stay.
///
///     pending ──▶ delivered ──▶ running ──┬─▶ succeeded, failed, timed_out
///        │            │            └──────┼─▶ interrupted
///        └────────────┴───────────────────┴─▶ cancelled, missed (not from running)
///
/// Steps may be skipped: a device that was offline reports where it has come to.
enum class task_state : std::uint8_t {
  pending,     ///< not confirmed by the device; perhaps on its way
  delivered,   ///< on the device's disk
  running,     ///< on its disk as started; each progress report says so again
  succeeded,   ///< ended with exit code 0
  failed,      ///< ended otherwise, or could not be started
  timed_out,   ///< ended by its time limit
  cancelled,   ///< will not run, or was ended, because somebody said so
  missed,      ///< its time passed, and it was not to run late
  interrupted, ///< the device or agent went down meanwhile: the outcome is unknown
};
inline constexpr std::size_t task_states = 9;

/// Who brings a state about.
enum class task_party : std::uint8_t {
  server, ///< by itself, for what no device can have started: a run that was never sent
  agent,  ///< by a report
};

enum class transition : std::uint8_t {
  take,   ///< record it
  repeat, ///< recorded already: a report that was sent again; progress of what runs is `take`
  refuse, ///< an event, and nothing else
};

[[nodiscard]] constexpr bool is_outcome(task_state state) noexcept {
  return state >= task_state::succeeded;
}

/// Everything that is not named in the table behind this is refused.
[[nodiscard]] transition judge(task_state from, task_state to, task_party by) noexcept;

/// A sentence for the event: "a run that has succeeded cannot become running".
[[nodiscard]] std::string why_refused(task_state from, task_state to, task_party by);

/// What a cancel does to a run.
enum class cancel_effect : std::uint8_t {
  cancelled, ///< at once: it was never sent
  wanted,    ///< the device is told, and shows as `cancel wanted` until it has confirmed an outcome
  too_late,  ///< it has an outcome
};
/// `sent`: it may have reached the device, whether or not that was confirmed.
[[nodiscard]] cancel_effect cancel(task_state state, bool sent) noexcept;

/// "pending", "timed out" as people see it; a run that a cancel waits for is "cancel wanted".
[[nodiscard]] std::string_view name_of(task_state state) noexcept;
[[nodiscard]] std::string_view shown_as(task_state state, bool cancel_wanted) noexcept;
/// Also with an underscore or hyphen for the space.
[[nodiscard]] std::optional<task_state> task_state_of(std::string_view name) noexcept;

} // namespace muster::rules
