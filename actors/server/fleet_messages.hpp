#pragma once
// What is said about the fleet's order: groups, policies, moving rules, tasks, and which device
// belongs where. Plain values, made once, shared as pointers to const. No actors, no I/O.

#include "actors/messages.hpp"
#include "actors/rules/fleet_document.hpp"
#include "actors/rules/fleet_plan.hpp"
#include "actors/rules/group_tree.hpp"
#include "actors/rules/moving_rules.hpp"
#include "actors/rules/policy_merge.hpp"

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

namespace muster::actors {

/// A policy and which change of the fleet made it what it is.
struct standing_policy {
  rules::policy_ptr policy; ///< its name is the application's
  std::uint64_t revision = 0;
  std::int64_t changed_us = 0;
  std::string changed_by;
};

struct standing_group {
  std::string description;
  std::uint64_t revision = 0;
  std::int64_t changed_us = 0;
  std::string changed_by;
};

/// A moving rule or a task, as its file says it.
struct standing_object {
  rules::fleet_object object;
  std::uint64_t revision = 0;
  std::int64_t changed_us = 0;
  std::string changed_by;
};

/// The fleet's order after one change; never changed itself. Parts that a change left alone are
/// shared with the one before, policies by pointer: a policy that did not change is the same object.
struct fleet_snapshot {
  std::uint64_t revision = 0; ///< of the last change; 0: nothing has ever been changed
  rules::group_tree groups;
  std::unordered_map<rules::group_id, standing_group> about; ///< of every group but the fixed ones
  /// By group, then application.
  std::unordered_map<rules::group_id, std::map<std::string, standing_policy>> policies;
  std::vector<standing_object> rules;            ///< in the order in which they are tried
  std::vector<rules::moving_rule> moving;        ///< the same, ready to be applied
  std::vector<standing_object> tasks;            ///< by name
};

/// A file of documents; `name` is what messages call it.
struct fleet_file {
  std::string name;
  std::string text;
};

/// Make the fleet as these files say.
struct fleet_order {
  std::vector<fleet_file> files;
  bool dry_run = false; ///< only say what would be done
  bool prune = false;   ///< what no file names goes
  std::vector<rules::fleet_key> removed; ///< these go as well; one that is not there is a problem
  /// Refused when the fleet is at another revision by now; empty: whatever it is at.
  std::optional<std::uint64_t> expected;
  audit_entry who;      ///< its actor and source; one entry is written for each step
};

struct group_order {
  std::string path;
  std::string new_path; ///< the parent must exist
  bool dry_run = false;
  audit_entry who;
};

/// Values that one device has for itself.
struct own_settings_order {
  device_id device;
  std::string application;
  std::vector<std::pair<rules::settings_path, rules::settings_value>> set;
  std::vector<rules::settings_path> unset;
  audit_entry who;
};

/// What became of an order. With problems nothing was done.
struct fleet_answer {
  std::uint64_t revision = 0; ///< of the fleet, now
  rules::fleet_plan plan;     ///< what was done, or would be
  bool conflict = false;      ///< not at the expected revision: nothing was done
};

/// The documents that are one device's alone.
struct own_document {
  std::string application;
  std::uint64_t revision = 0;
  rules::settings_document values = rules::settings_value::empty_map();
};
struct own_documents {
  std::vector<own_document> all; ///< by application
};

/// Where a device belongs. What is empty stays as it is.
struct assignment_order {
  std::optional<rules::group_id> group;
  std::vector<std::string> tags_added;
  std::vector<std::string> tags_removed;
  audit_entry who;
};

/// A tag: 1 to 64 lower case letters, digits and "-_.", a letter or digit in front. Empty, or a
/// clause that says what is wrong.
[[nodiscard]] std::string tag_problem(std::string_view tag);
inline constexpr std::size_t tags_max = 32; ///< of a device

struct placement_order {
  std::string target; ///< rules/device_filter.hpp
  bool dry_run = false;
  audit_entry who;
};

struct placement_report {
  struct move {
    device_id device;
    std::string name;
    std::string from, to; ///< paths
    std::string rule;
  };
  std::uint64_t looked_at = 0;
  std::uint64_t moved = 0;      ///< or would be
  std::vector<move> moves;      ///< the first 1,000
};

} // namespace muster::actors
