#include "actors/rules/task_state.hpp"

#include <algorithm>
#include <array>

namespace muster::rules {

namespace {

using enum task_state;

struct permission {
  task_state from;
  task_state to;
  task_party by;
};

// The whole of what may happen to a run. A device's report may skip steps, and never goes back.
constexpr permission permissions[] = {
  {pending, delivered, task_party::agent},
  {pending, running, task_party::agent},
  {pending, succeeded, task_party::agent},
  {pending, failed, task_party::agent},
  {pending, timed_out, task_party::agent},
  {pending, cancelled, task_party::agent},
  {pending, missed, task_party::agent},
  {pending, interrupted, task_party::agent},
  {delivered, running, task_party::agent},
  {delivered, succeeded, task_party::agent},
  {delivered, failed, task_party::agent},
  {delivered, timed_out, task_party::agent},
  {delivered, cancelled, task_party::agent},
  {delivered, missed, task_party::agent},
  {delivered, interrupted, task_party::agent},
  {running, running, task_party::agent}, // progress
  {running, succeeded, task_party::agent},
  {running, failed, task_party::agent},
  {running, timed_out, task_party::agent},
  {running, cancelled, task_party::agent},
  {running, interrupted, task_party::agent},
  // Of what was never sent the server knows by itself that it did not run.
  {pending, cancelled, task_party::server},
  {pending, missed, task_party::server},
};

constexpr std::array<std::string_view, task_states> names{"pending",   "delivered", "running",
                                                          "succeeded", "failed",    "timed out",
                                                          "cancelled", "missed",    "interrupted"};

} // namespace

transition judge(task_state from, task_state to, task_party by) noexcept {
  for (const auto& p : permissions)
    if (p.from == from && p.to == to && p.by == by)
      return transition::take;
  const bool again = from == to && by == task_party::agent && from != pending;
  return again ? transition::repeat : transition::refuse;
}

std::string why_refused(task_state from, task_state to, task_party by) {
  if (by == task_party::server)
    return "the server cannot make a run that is " + std::string{name_of(from)} + " " +
           std::string{name_of(to)} + ": the device has to say so";
  if (to == pending)
    return "a device cannot make a run pending: that is what it is before the device has it";
  return "a run that " + std::string{is_outcome(from) ? "has ended as " : "is "} +
         std::string{name_of(from)} + " cannot become " + std::string{name_of(to)};
}

cancel_effect cancel(task_state state, bool sent) noexcept {
  if (is_outcome(state))
    return cancel_effect::too_late;
  return state == pending && !sent ? cancel_effect::cancelled : cancel_effect::wanted;
}

std::string_view name_of(task_state state) noexcept {
  return names[static_cast<std::size_t>(state)];
}

std::string_view shown_as(task_state state, bool cancel_wanted) noexcept {
  return cancel_wanted && !is_outcome(state) ? "cancel wanted" : name_of(state);
}

std::optional<task_state> task_state_of(std::string_view name) noexcept {
  for (std::size_t i = 0; i < names.size(); ++i)
    if (std::equal(name.begin(), name.end(), names[i].begin(), names[i].end(),
                   [](char a, char b) { return a == b || (b == ' ' && (a == '_' || a == '-')); }))
      return static_cast<task_state>(i);
  return std::nullopt;
}

} // namespace muster::rules
