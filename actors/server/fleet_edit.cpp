#include "actors/server/fleet_edit.hpp"

#include "actors/rules/fleet_spec.hpp"
#include "actors/rules/settings_codec.hpp"
#include "actors/server/audit.hpp"
#include "actors/server/policy_book_limits.hpp"

#include <muster/assert.hpp>

#include <algorithm>
#include <array>
#include <utility>

namespace muster::actors {

namespace {

using rules::fleet_action;
using rules::fleet_kind;
using storage::family;

std::string place_of(const rules::fleet_object& object) {
  if (object.file.empty())
    return {};
  return object.file + (object.line == 0 ? "" : ":" + std::to_string(object.line)) + ": ";
}

std::string subject_of(const rules::fleet_object& object) {
  const bool is_policy = object.kind() == fleet_kind::policy;
  return is_policy ? object.name + " in " + (object.group.empty() ? "/" : object.group)
                   : object.name;
}

std::size_t spec_bytes_of(const rules::fleet_object& object) {
  return rules::to_bytes(rules::spec_document(object)).size();
}

std::vector<standing_object>::iterator find_named(std::vector<standing_object>& list,
                                                  std::string_view name) {
  return std::find_if(list.begin(), list.end(),
                      [&](const standing_object& one) { return one.object.name == name; });
}

} // namespace

std::string changed_paths(const std::vector<rules::settings_change>& changes) {
  std::string out;
  for (std::size_t i = 0; i < changes.size(); ++i) {
    if (i == policy_book_limits::audit_paths_max)
      return out + " and " + std::to_string(changes.size() - i) + " more";
    (out += out.empty() ? "" : ", ") += changes[i].path.text();
  }
  return out;
}

fleet_edit::fleet_edit(const fleet_snapshot& before, std::size_t spec_bytes, audit_entry who,
                       std::int64_t now_us)
  : fleet_(std::make_shared<fleet_snapshot>(before)),
    who_(std::move(who)), stamp_{before.revision + 1, now_us / 1'000 * 1'000, who_.actor},
    spec_bytes_(spec_bytes) {
  fleet_->revision = stamp_.revision;
}

void fleet_edit::carry_out(std::vector<rules::fleet_step> steps) {
  steps_ = std::move(steps);
  for (const auto& step : steps_)
    apply(step);
}

void fleet_edit::apply(const rules::fleet_step& step) {
  switch (step.object.kind()) {
  case fleet_kind::group:
    return apply_group(step);
  case fleet_kind::policy:
    return apply_policy(step);
  case fleet_kind::rule:
  case fleet_kind::task:
    return apply_rule_or_task(step);
  }
}

void fleet_edit::apply_group(const rules::fleet_step& step) {
  const auto& object = step.object;
  auto& groups = fleet_->groups;
  std::string problem;
  std::optional<rules::group_id> group;
  if (step.action == fleet_action::create) {
    const auto slash = object.name.rfind('/');
    const bool on_top = slash == std::string::npos;
    const auto parent = groups.find(on_top ? "" : object.name.substr(0, slash));
    if (!parent)
      return fail(object, "the group that it would be in is not there");
    group = groups.create(*parent, on_top ? object.name : object.name.substr(slash + 1), problem);
  } else {
    group = groups.find(object.name);
  }
  if (!group)
    return fail(object, problem.empty() ? "there is no such group" : problem);
  if (step.action == fleet_action::remove) {
    if (const auto left = fleet_->policies.find(*group);
        left != fleet_->policies.end() && !left->second.empty())
      return fail(object, "the policy '" + left->second.begin()->first + "' is in it");
    if (!groups.remove(*group, problem))
      return fail(object, problem);
    fleet_->about.erase(*group);
    fleet_->policies.erase(*group);
    changes_.push_back(storage::erase(family::meta, storage::keys::group(group->number)));
  } else {
    fleet_->about[*group] = {std::get<rules::group_spec>(object.spec).description, stamp_.revision,
                             stamp_.changed_us, stamp_.changed_by};
    changes_.push_back(put_group(*fleet_, *group));
  }
  changes_.push_back(put_history(object, *group, rules::to_bytes(rules::spec_document(object)),
                                 stamp_, step.action == fleet_action::remove));
  write_audit(step);
}

void fleet_edit::apply_policy(const rules::fleet_step& step) {
  const auto group = fleet_->groups.find(step.object.group);
  if (!group)
    return fail(step.object, "the group is not there");
  const auto& name = step.object.name;
  auto& here = fleet_->policies[*group];
  const auto before = here.find(name);
  const auto bytes_before =
    before == here.end() ? 0 : spec_bytes_of(object_of(*before->second.policy));
  if (step.action == fleet_action::remove) {
    here.erase(name);
    if (here.empty())
      fleet_->policies.erase(*group);
  } else {
    auto policy = std::get<rules::policy>(step.object.spec);
    policy.group = fleet_->groups.path(*group);
    if (const auto problem = policy_problem(policy); !problem.empty())
      return fail(step.object, problem);
    here[name] = {std::make_shared<const rules::policy>(std::move(policy)), stamp_.revision,
                  stamp_.changed_us, stamp_.changed_by};
  }
  changed_policies_[name].emplace(*group, place_of(step.object));
  write(step, *group, bytes_before);
}

void fleet_edit::apply_rule_or_task(const rules::fleet_step& step) {
  auto& list = step.object.kind() == fleet_kind::rule ? fleet_->rules : fleet_->tasks;
  const auto before = find_named(list, step.object.name);
  const auto bytes_before = before == list.end() ? 0 : spec_bytes_of(before->object);
  if (before != list.end())
    list.erase(before);
  if (step.action != fleet_action::remove) {
    auto object = step.object;
    object.file.clear(); // a snapshot is the same whether it was loaded or made
    object.line = 0;
    list.push_back({std::move(object), stamp_.revision, stamp_.changed_us, stamp_.changed_by});
  }
  write(step, {}, bytes_before);
}

void fleet_edit::write(const rules::fleet_step& step, rules::group_id group,
                       std::size_t bytes_before) {
  const bool removed = step.action == fleet_action::remove;
  const auto document = rules::spec_document(step.object);
  // With its profiles a policy may be more than a document can be, which nobody could read back.
  if (const auto problem = rules::problem_with(document); !problem.empty() && !removed)
    return fail(step.object, "taken together, " + problem);
  const auto spec = rules::to_bytes(document);
  spec_bytes_ += (removed ? 0 : spec.size()) - bytes_before;
  if (removed)
    changes_.push_back(storage::erase(
      family::meta,
      storage::keys::fleet_object(store_key(step.object.kind(), group, step.object.name))));
  else
    changes_.push_back(put_object(step.object, group, spec, stamp_));
  changes_.push_back(put_history(step.object, group, spec, stamp_, removed));
  write_audit(step);
}

void fleet_edit::write_audit(const rules::fleet_step& step) {
  static constexpr std::array<std::string_view, 3> verbs{".create", ".change", ".remove"};
  auto action = rules::lower_case(rules::name_of(step.object.kind()));
  action += verbs[static_cast<std::size_t>(step.action)];
  write_audit(std::move(action), subject_of(step.object), changed_paths(step.changes));
}

void fleet_edit::write_audit(std::string action, std::string subject, std::string detail) {
  auto entry = who_;
  entry.action = std::move(action);
  entry.subject = std::move(subject);
  entry.detail = std::move(detail);
  changes_.push_back(audit_change(entry, stamp_.changed_us));
}

finished_edit fleet_edit::finish() {
  std::sort(fleet_->rules.begin(), fleet_->rules.end(), is_tried_before);
  std::sort(fleet_->tasks.begin(), fleet_->tasks.end(),
            [](const auto& a, const auto& b) { return a.object.name < b.object.name; });
  if (problems_.empty())
    check_bounds();
  if (problems_.empty() && !make_moving(*fleet_))
    fail(fleet_->rules[fleet_->moving.size()].object, "the group that it moves to is not there");
  if (problems_.empty())
    check_composed(*fleet_, changed_policies_, problems_);
  if (!problems_.empty())
    return {};
  changes_.push_back(put_marks(stamp_.revision, fleet_->groups.last_number()));
  return {std::move(fleet_), std::move(changes_), spec_bytes_};
}

void fleet_edit::check_bounds() {
  namespace limits = policy_book_limits;
  std::size_t policies = 0;
  for (const auto& [group, here] : fleet_->policies)
    policies += here.size();
  const auto bound = [&](std::size_t number, std::size_t most, std::string_view of) {
    if (number > most)
      problems_.push_back("there would be " + std::to_string(number) + " " + std::string{of} +
                          "; at most " + std::to_string(most) + " can be");
  };
  bound(policies, limits::policies_max, "policies");
  bound(fleet_->rules.size(), rules::moving_limits::rules_max, "moving rules");
  bound(fleet_->tasks.size(), limits::tasks_max, "tasks");
  bound(spec_bytes_, limits::spec_bytes_max, "bytes of policies, rules and tasks");
}

void fleet_edit::fail(const rules::fleet_object& object, std::string_view why) {
  problems_.push_back(place_of(object) + rules::title_of(object) + ": " + std::string{why});
}

} // namespace muster::actors
