#pragma once
// Whether what policies of several groups say together can be had by a device. Pure.

#include "actors/server/fleet_messages.hpp"

#include <map>
#include <string>
#include <unordered_map>
#include <vector>

namespace muster::actors {

/// Policies that are not what they were, or no longer inherit what they did: by application, then
/// group. With each, where it was written ("fleet.yaml:12: ") or nothing: what a problem begins
/// with.
using changed_policies =
  std::map<std::string, std::unordered_map<rules::group_id, std::string>, std::less<>>;

/// What is wrong with a policy by itself, beyond what a file's reader sees: whether it can be
/// stored, and whether the agent would go by its own. Empty, or a clause.
[[nodiscard]] std::string policy_problem(const rules::policy& policy);

/// Adds a line for each group at or below a changed policy whose composed settings, with all
/// profiles active or none, are beyond what a document may be, or that has policies of too many
/// applications. (Some of the profiles can compose to more than all of them, if one makes
/// others smaller: whoever sends a document looks at its size once more.)
void check_composed(const fleet_snapshot& fleet, const changed_policies& changed,
                    std::vector<std::string>& problems);

} // namespace muster::actors
