#pragma once
// One change of the fleet's order in the making: a copy of it, what goes into the store, and what
// speaks against it. Pure: nothing is done until somebody stores and publishes what it gives.

#include "actors/rules/fleet_plan.hpp"
#include "actors/server/fleet_check.hpp"
#include "actors/server/fleet_messages.hpp"
#include "actors/server/fleet_store.hpp"
#include "storage/store.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace muster::actors {

/// What to store in one batch, and what holds afterwards.
struct finished_edit {
  std::shared_ptr<const fleet_snapshot> fleet;
  storage::change_batch changes;
  std::size_t spec_bytes = 0; ///< of all policies, rules and tasks
};

/// Used once, by one thread: either carry_out() or move_group(), then finish(). With problems it is
/// thrown away. Costs a copy of the snapshot, in which policies are pointers.
class fleet_edit {
public:
  fleet_edit(const fleet_snapshot& before, std::size_t spec_bytes, audit_entry who,
             std::int64_t now_us);

  /// The steps of a plan without problems, in their order.
  void carry_out(std::vector<rules::fleet_step> steps);
  /// Gives a group another path, with all below it. What names it by its path (the targets of rules
  /// and tasks, conditions of profiles) is changed with it, as steps of their own; what is meant by
  /// a pattern stays as it is.
  void move_group(std::string_view path, std::string_view new_path);

  [[nodiscard]] const std::vector<rules::fleet_step>& steps() const noexcept { return steps_; }
  /// Lines for people. If there are any, nothing may be done.
  [[nodiscard]] const std::vector<std::string>& problems() const noexcept { return problems_; }
  /// Looks at the whole once more; `problems` may have become more.
  [[nodiscard]] finished_edit finish();

private:
  void apply(const rules::fleet_step& step);
  void apply_group(const rules::fleet_step& step);
  void apply_policy(const rules::fleet_step& step);
  void apply_rule_or_task(const rules::fleet_step& step);
  /// Into the batch: the object, its history, the audit entry.
  void write(const rules::fleet_step& step, rules::group_id group, std::size_t bytes_before);
  void write_audit(const rules::fleet_step& step);
  void write_audit(std::string action, std::string subject, std::string detail);

  bool place_group(rules::group_id group, std::string_view new_path);
  void follow_in_rules(std::string_view from, std::string_view to);
  void follow_in_tasks(std::string_view from, std::string_view to);
  void follow_in_policies(rules::group_id moved, std::string_view from, std::string_view to);
  void follow_in_profile(const rules::policy& policy, rules::policy_profile& profile,
                         std::string_view from, std::string_view to);
  /// An object that names a group by its path: a step that makes it what it is now.
  /// False: it is that already.
  [[nodiscard]] bool change(const rules::fleet_object& before, rules::fleet_object after);

  void check_bounds();
  void fail(const rules::fleet_object& object, std::string_view why);

  std::shared_ptr<fleet_snapshot> fleet_;
  audit_entry who_;
  fleet_stamp stamp_;
  std::size_t spec_bytes_ = 0;
  storage::change_batch changes_;
  std::vector<rules::fleet_step> steps_;
  std::vector<std::string> problems_;
  changed_policies changed_policies_;
};

/// "a, b and 3 more": the paths of what a step changed.
[[nodiscard]] std::string changed_paths(const std::vector<rules::settings_change>& changes);

/// A target expression (rules/device_filter.hpp) after a group has got another path; paths without
/// slashes at their ends. What it names by patterns stays.
[[nodiscard]] std::string moved_target(std::string_view target, std::string_view from,
                                       std::string_view to);

} // namespace muster::actors
