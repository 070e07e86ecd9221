#pragma once
// Orders about groups, policies and rules, as commands give them: read with the revision, changed
// here, applied if it still is that revision.

#include "actors/rules/fleet_document.hpp"
#include "apps/console/console.hpp"

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace muster::console {

/// YAML of the server, all pages of it, and of which revision it is.
struct exported {
  std::string yaml;
  std::uint64_t revision = 0;
};
[[nodiscard]] exported export_of(api& server, const query& which);

/// The objects in it. Throws failure when they are not what this version understands.
[[nodiscard]] std::vector<rules::fleet_object> objects_in(const exported& from);

/// What an order did, as the API says it.
struct applied {
  std::string json;
  admin::fleet_result result;
};
/// Throws failure when the server refuses; of class `conflict` when the fleet is at another revision.
[[nodiscard]] applied apply_order(api& server, const admin::fleet_order& order);
[[nodiscard]] applied change_group(api& server, const admin::group_change& change);

/// What was done, or would be, for whoever gave the order. Returns the exit code: fine, or for a dry
/// run with something to do pending.
int tell(console& c, const applied& what, bool dry_run);

/// One object as a file of an order.
void add_object(admin::fleet_order& order, const rules::fleet_object& object);

/// "Group", "Policy" ... and what names it.
void add_removed(admin::fleet_order& order, rules::fleet_kind kind, const std::string& name,
                 const std::string& group = {});

/// What depends on a revision, once more when somebody was quicker.
int retry_conflict(const std::function<int()>& what);

/// A path of a group as it is compared: without slashes at its ends.
[[nodiscard]] std::string bare_path(const std::string& path);
/// Everything before the last slash; empty: the root.
[[nodiscard]] std::string parent_of(const std::string& path);
[[nodiscard]] std::string name_in(const std::string& path);

} // namespace muster::console
