// A group gets another path, and whatever names it by its path follows.
#include "actors/rules/fleet_spec.hpp"
#include "actors/rules/settings_codec.hpp"
#include "actors/server/fleet_edit.hpp"

#include <optional>
#include <utility>

namespace muster::actors {

namespace {

using rules::fleet_action;

/// `path` when it is `from` or below it, with `to` in its place. Letter case does not count.
std::optional<std::string> moved_path(std::string_view path, std::string_view from,
                                      std::string_view to) {
  const auto lower = rules::lower_case(path);
  const auto old = rules::lower_case(from);
  if (!lower.starts_with(old) || (lower.size() > old.size() && lower[old.size()] != '/'))
    return std::nullopt;
  return std::string{to} + std::string{path.substr(old.size())};
}

std::string moved_term(std::string_view term, std::string_view from, std::string_view to) {
  constexpr std::string_view prefix = "group:";
  if (!term.starts_with(prefix))
    return std::string{term};
  std::string out{prefix};
  term.remove_prefix(prefix.size());
  while (true) {
    const auto comma = term.find(',');
    const auto pattern = term.substr(0, comma);
    out += moved_path(rules::bare_path(pattern), from, to).value_or(std::string{pattern});
    if (comma == std::string_view::npos)
      return out;
    out += ',';
    term.remove_prefix(comma + 1);
  }
}

} // namespace

std::string moved_target(std::string_view target, std::string_view from, std::string_view to) {
  std::string out;
  while (true) {
    const auto space = target.find(' ');
    out += moved_term(target.substr(0, space), from, to);
    if (space == std::string_view::npos)
      return out;
    out += ' ';
    target.remove_prefix(space + 1);
  }
}

void fleet_edit::move_group(std::string_view path, std::string_view new_path) {
  rules::fleet_object object;
  object.name = rules::bare_path(path);
  const auto group = fleet_->groups.find(path);
  if (!group)
    return fail(object, "there is no such group");
  const auto from = fleet_->groups.path(*group);
  if (from == rules::bare_path(new_path))
    return;
  if (!place_group(*group, new_path))
    return;
  const auto to = fleet_->groups.path(*group);
  auto& about = fleet_->about.at(*group);
  about = {about.description, stamp_.revision, stamp_.changed_us, stamp_.changed_by};
  object = group_object(*fleet_, *group);
  changes_.push_back(put_group(*fleet_, *group));
  changes_.push_back(
    put_history(object, *group, rules::to_bytes(rules::spec_document(object)), stamp_, false));
  write_audit("group.move", from, "to " + to);
  steps_.push_back(
    {fleet_action::change, std::move(object), {{rules::settings_path{}.below("path"), from, to}}});
  follow_in_rules(from, to);
  follow_in_tasks(from, to);
  follow_in_policies(*group, from, to);
}

/// Another parent, another name, or both: then by way of a name that is in nobody's way, since the
/// old name may be taken there and the new one here.
bool fleet_edit::place_group(rules::group_id group, std::string_view new_path) {
  auto& groups = fleet_->groups;
  const auto bare = rules::bare_path(new_path);
  const auto slash = bare.rfind('/');
  const bool on_top = slash == std::string_view::npos;
  const auto name = on_top ? bare : bare.substr(slash + 1);
  const auto parent = groups.find(on_top ? std::string_view{} : bare.substr(0, slash));
  const auto object = group_object(*fleet_, group);
  auto problem = rules::group_path_problem(bare);
  if (problem.empty() && !parent)
    problem = "there is no group '" + std::string{bare.substr(0, slash)} + "' to be in";
  bool done = problem.empty();
  if (done && *parent != groups.parent(group) && groups.name(group) != name) {
    for (int i = 0; i < 1'000; ++i) {
      const auto passing = "_" + std::to_string(i);
      if (groups.find(groups.path(groups.parent(group)) + "/" + passing) ||
          groups.find(groups.path(*parent) + "/" + passing))
        continue;
      done = groups.rename(group, passing, problem);
      break;
    }
  }
  if (done && *parent != groups.parent(group))
    done = groups.move(group, *parent, problem);
  if (done && groups.name(group) != name)
    done = groups.rename(group, name, problem);
  if (!done)
    fail(object, problem);
  return done;
}

bool fleet_edit::change(const rules::fleet_object& before, rules::fleet_object after) {
  rules::fleet_step step{fleet_action::change, std::move(after), {}};
  step.changes = rules::difference(rules::spec_document(before), rules::spec_document(step.object));
  if (step.changes.empty())
    return false;
  apply(step);
  steps_.push_back(std::move(step));
  return true;
}

void fleet_edit::follow_in_rules(std::string_view from, std::string_view to) {
  const auto before = fleet_->rules; // change() puts them in another order
  for (const auto& standing : before) {
    auto after = standing.object;
    auto& spec = std::get<rules::rule_spec>(after.spec);
    if (auto path = moved_path(spec.move_to, from, to)) {
      spec.move_to = std::move(*path);
      static_cast<void>(change(standing.object, std::move(after)));
    }
  }
}

void fleet_edit::follow_in_tasks(std::string_view from, std::string_view to) {
  const auto before = fleet_->tasks;
  for (const auto& standing : before) {
    auto after = standing.object;
    auto& spec = std::get<rules::task_spec>(after.spec);
    spec.target = moved_target(spec.target, from, to);
    std::string problem;
    if (!rules::device_filter::parse(spec.target, problem))
      fail(standing.object, "its target would name the group by its new path, but then " + problem);
    else
      static_cast<void>(change(standing.object, std::move(after)));
  }
}

/// Those in the group and below it also get their new path, which is only for people; that is no
/// change of theirs. What they inherit may be another thing now.
void fleet_edit::follow_in_policies(rules::group_id moved, std::string_view from,
                                    std::string_view to) {
  const auto before = fleet_->policies;
  for (const auto& [group, policies] : before) {
    const bool is_moved = fleet_->groups.is_within(group, moved);
    for (const auto& [application, standing] : policies) {
      auto policy = *standing.policy;
      policy.group = fleet_->groups.path(group);
      for (auto& profile : policy.profiles)
        follow_in_profile(policy, profile, from, to);
      if (is_moved)
        changed_policies_[application].emplace(group, std::string{});
      if (!change(object_of(*standing.policy), object_of(policy)) && is_moved)
        fleet_->policies[group][application].policy =
          std::make_shared<const rules::policy>(std::move(policy));
    }
  }
}

void fleet_edit::follow_in_profile(const rules::policy& policy, rules::policy_profile& profile,
                                   std::string_view from, std::string_view to) {
  const auto when = moved_target(profile.when.text(), from, to);
  if (when == profile.when.text())
    return;
  std::string problem;
  if (auto condition = rules::profile_condition(when, problem))
    profile.when = std::move(*condition);
  else
    fail(object_of(policy), "profile '" + profile.name +
                              "' would name the group by its new path, but then " + problem);
}

} // namespace muster::actors
