#pragma once
// The fleet as files: what groups, policies, tasks and moving rules there shall be, as YAML
// documents.

#include "actors/rules/moving_rules.hpp"
#include "actors/rules/node_reader.hpp"
#include "actors/rules/policy_merge.hpp"
#include "actors/rules/settings_value.hpp"
#include "actors/rules/task_spec.hpp"

#include <compare>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <tuple>
#include <variant>
#include <vector>

namespace muster::rules {

/// In the order in which they are made: each may need those before it.
enum class fleet_kind : std::uint8_t { group, policy, rule, task };
inline constexpr std::size_t fleet_kinds = 4;

/// What names a thing, so that giving it another name is making a new one and removing the old. Paths of groups are compared without regard to letter case.
struct fleet_key {
  fleet_kind kind = fleet_kind::group;
  std::string group; ///< of a policy: its group, lower case; empty: the root
  std::string name;  ///< of a group: its path, lower case
  friend auto operator<=>(const fleet_key&, const fleet_key&) = default;
};

struct group_spec {
  std::string description;
};

/// A moving rule whose target is a path: whether there is such a group is seen when it is applied.
struct rule_spec {
  std::int64_t order = 100;           ///< the smaller comes first; of equals, the name
  std::vector<moving_condition> when; ///< one of each trait at most, in the order of moving_trait
  std::string move_to;
  bool permanent = false;
  bool trust_claimed = false;
};

/// One document.
///
///     apiVersion: muster/v1
///     kind: Policy                  # Group, Policy, Rule, Task
///     metadata:
///       name: sshd                  # of a group its path, of a policy its application
///       group: eu/berlin            # of a policy; without: the root
///     spec:
///       settings: {PermitRootLogin: false}
///       locks: [PermitRootLogin]
///       profiles:
///         - {name: laptops, priority: 10, when: tag:laptop, settings: {...}, removes: [...],
///         locks: [...]}
///
/// A Group's spec may have a `description`. A Rule's has `when` (a map of name, os, application,
/// address, source, token, tag to a text or list), `moveTo`, `order`, `permanent` and `trust:
/// claimed`. A Task's is in task_spec.hpp.
struct fleet_object {
  std::string name;  ///< as it was written
  std::string group; ///< of a policy, as it was written
  std::variant<group_spec, policy, rule_spec, task_spec> spec;
  std::string file; ///< where it stands; empty and 0 when it comes from a store
  std::size_t line = 0;

  [[nodiscard]] fleet_kind kind() const noexcept { return static_cast<fleet_kind>(spec.index()); }
  [[nodiscard]] fleet_key key() const;
};

inline constexpr std::string_view fleet_api_version = "muster/v1";
inline constexpr std::size_t fleet_problems_max = 50;

struct fleet_result {
  std::vector<fleet_object> objects; ///< all that are good, as they stand
  /// One line each, "FILE:LINE: what", in the order of the file. Nothing may be applied if there
  /// are any.
  std::vector<std::string> problems;
};

/// Reads all documents of a file, which is called `file` in messages.
[[nodiscard]] fleet_result read_fleet(std::string_view text, std::string_view file);

/// The `spec` in its one written form: without what is as it would be anyway, lists that have no
/// order sorted. Two objects mean the same when these are equal.
[[nodiscard]] settings_document spec_document(const fleet_object& object);

/// An object from its key and the form that `spec_document` gave: what a store kept. Empty with a
/// clause in `problem`.
[[nodiscard]] std::optional<fleet_object> fleet_object_from(fleet_kind kind, std::string_view group,
                                                            std::string_view name,
                                                            const settings_document& spec,
                                                            std::string& problem);

/// A rule as moving_rules.hpp applies it, once its target is known. The caller sorts by `order`, then name.
[[nodiscard]] moving_rule moving_rule_of(std::string_view name, const rule_spec& spec, group_id target);

/// YAML that read_fleet reads back as the same objects, sorted by key.
[[nodiscard]] std::string export_fleet(std::span<const fleet_object> objects);

/// "Group", "group 'eu/berlin'", "policy 'sshd' of group 'eu'".
[[nodiscard]] std::string_view name_of(fleet_kind kind) noexcept;
[[nodiscard]] std::string title_of(const fleet_object& object);

/// An application's policy of the agent itself is called this.
inline constexpr std::string_view agent_application = "muster-agent";

} // namespace muster::rules
