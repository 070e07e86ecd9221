#include "actors/rules/fleet_plan.hpp"

#include "actors/rules/fleet_spec.hpp"
#include "actors/rules/group_tree.hpp"

#include <algorithm>
#include <map>
#include <set>

namespace muster::rules {

namespace {

using by_key = std::map<fleet_key, const fleet_object*>;

std::string place_of(const fleet_object& object) {
  if (object.file.empty())
    return {};
  return object.file + (object.line == 0 ? "" : ":" + std::to_string(object.line)) + ": ";
}

std::string parent_of(std::string_view path) {
  const auto slash = path.rfind('/');
  return std::string{slash == std::string_view::npos ? "" : path.substr(0, slash)};
}

/// The groups that an object cannot be without, lower case.
std::string needed_group(const fleet_object& object) {
  switch (object.kind()) {
  case fleet_kind::group:
    return lower_case(parent_of(object.name));
  case fleet_kind::policy:
    return lower_case(object.group);
  case fleet_kind::rule:
    return lower_case(std::get<rule_spec>(object.spec).move_to);
  case fleet_kind::task:
    return {}; // a target may mean what is not there yet
  }
  return {};
}

/// What is always there is in no file.
bool is_fixed(const fleet_key& key) noexcept {
  return key.kind == fleet_kind::group &&
         (key.name.empty() || key.name == group_tree::unassigned_name);
}

/// Which groups there are afterwards.
std::set<std::string> groups_of(const by_key& objects) {
  std::set<std::string> out{"", std::string{group_tree::unassigned_name}};
  for (const auto& [key, object] : objects)
    if (key.kind == fleet_kind::group)
      out.insert(key.name);
  return out;
}

} // namespace

fleet_plan plan_fleet(std::span<const fleet_object> wanted, std::span<const fleet_object> present,
                      bool prune) {
  fleet_plan out;
  by_key wanted_by;
  by_key present_by;
  for (const auto& object : present)
    if (!is_fixed(object.key()))
      present_by.emplace(object.key(), &object);
  for (const auto& object : wanted) {
    const auto [at, added] = wanted_by.emplace(object.key(), &object);
    if (!added)
      out.problems.push_back(place_of(object) + title_of(object) + " is there already: " +
                             (at->second->file.empty() ? "" : at->second->file + ":") +
                             std::to_string(at->second->line));
  }
  auto afterwards = wanted_by;
  if (!prune)
    afterwards.insert(present_by.begin(), present_by.end());
  const auto groups = groups_of(afterwards);
  for (const auto& [key, object] : afterwards)
    if (const auto group = needed_group(*object); !groups.contains(group))
      out.problems.push_back(place_of(*object) + title_of(*object) + " needs the group '" + group +
                             "', which would not be there");
  for (const auto& [key, object] : wanted_by) {
    const auto at = present_by.find(key);
    if (at == present_by.end()) {
      out.steps.push_back({fleet_action::create, *object, {}});
      continue;
    }
    auto changes = difference(spec_document(*at->second), spec_document(*object));
    if (changes.empty())
      ++out.unchanged;
    else
      out.steps.push_back({fleet_action::change, *object, std::move(changes)});
  }
  // In the order of keys a group comes behind those above it; going, before them.
  if (prune)
    for (auto at = present_by.rbegin(); at != present_by.rend(); ++at)
      if (!wanted_by.contains(at->first))
        out.steps.push_back({fleet_action::remove, *at->second, {}});
  return out;
}

std::string summary_of(const fleet_step& step) {
  static constexpr std::string_view verbs[] = {"create ", "change ", "remove "};
  auto out = std::string{verbs[static_cast<std::size_t>(step.action)]} + title_of(step.object);
  std::string_view divider = ": ";
  for (const auto& change : step.changes) {
    (out += divider) += change.path.text();
    divider = ", ";
  }
  return out;
}

} // namespace muster::rules
