#pragma once
// What has to be done so that the fleet is as files say: the same for a dry run and for doing it.

#include "actors/rules/fleet_document.hpp"
#include "actors/rules/settings_diff.hpp"

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace muster::rules {

enum class fleet_action : std::uint8_t { create, change, remove };

struct fleet_step {
  fleet_action action = fleet_action::create;
  fleet_object object;                  ///< as it shall be; for `remove` as it is
  std::vector<settings_change> changes; ///< for `change`: the paths of `spec` that differ
};

struct fleet_plan {
  /// In an order in which each can be done: groups before what is in them, parents before children;
  /// what goes, last and the other way round. Nothing to do: empty.
  std::vector<fleet_step> steps;
  /// Objects that are as they shall be.
  std::size_t unchanged = 0;
  /// Lines "FILE:LINE: what". If there are any, nothing may be done: it is all or nothing.
  std::vector<std::string> problems;
};

/// `wanted` may come from several files; a thing named twice is a problem, and so is a group, of a
/// path, policy or rule, that would not be there afterwards. With `prune` everything that is
/// present and not wanted goes; without, it stays as it is. Carrying out a plan makes the next one
/// empty.
[[nodiscard]] fleet_plan plan_fleet(std::span<const fleet_object> wanted,
                                    std::span<const fleet_object> present, bool prune);

/// A line for people: "change policy 'sshd' of group 'eu': settings.Port".
[[nodiscard]] std::string summary_of(const fleet_step& step);

} // namespace muster::rules
