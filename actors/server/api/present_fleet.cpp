#include "actors/server/api/present_fleet.hpp"

#include "actors/rules/fleet_spec.hpp"
#include "actors/rules/settings_codec.hpp"
#include "actors/rules/settings_json.hpp"
#include "actors/server/api/reply.hpp"

#include <algorithm>
#include <memory>
#include <utility>

namespace muster::actors::api {

namespace {

std::string_view name_of(rules::fleet_action action) noexcept {
  switch (action) {
    case rules::fleet_action::create: return "create";
    case rules::fleet_action::change: return "change";
    case rules::fleet_action::remove: return "remove";
  }
  return "change";
}

/// An empty map is a value.
std::size_t leaves_of(const rules::settings_value& value) {
  const auto* const map = value.as_map();
  if (map == nullptr || map->empty())
    return 1;
  std::size_t out = 0;
  for (const auto& entry : *map)
    out += leaves_of(entry.value);
  return out;
}

std::size_t settings_of(const rules::settings_document& document) {
  const auto* const map = document.as_map();
  return map == nullptr || map->empty() ? 0 : leaves_of(document);
}

std::string json_of(const std::optional<rules::settings_value>& value) {
  return value ? rules::to_json(*value) : std::string{};
}

void present(const rules::fleet_step& from, admin::fleet_step& to) {
  to.set_action(std::string{name_of(from.action)});
  to.set_kind(std::string{rules::name_of(from.object.kind())});
  to.set_name(from.object.name);
  if (from.object.kind() == rules::fleet_kind::policy)
    to.set_group(shown_path(from.object.group));
  to.set_summary(rules::summary_of(from));
  for (const auto& change : from.changes) {
    auto& one = *to.add_changes();
    one.set_path(change.path.text());
    one.set_before(json_of(change.before));
    one.set_after(json_of(change.after));
  }
}

bool is_fixed(rules::group_id id) noexcept {
  return id == rules::group_tree::root || id == rules::group_tree::unassigned;
}

bool is_chosen(const rules::fleet_key& key, const object_choice& choice) {
  if (choice.kind && *choice.kind != key.kind)
    return false;
  if (choice.group && (key.kind != rules::fleet_kind::policy || *choice.group != key.group))
    return false;
  return !choice.name || *choice.name == key.name;
}

std::string comparable_path(std::string_view path) {
  return rules::lower_case(rules::bare_path(path));
}

/// As keys have them: paths of groups bare and in lower case.
object_choice comparable(object_choice choice) {
  if (choice.group)
    choice.group = comparable_path(*choice.group);
  if (choice.name && choice.kind == rules::fleet_kind::group)
    choice.name = comparable_path(*choice.name);
  return choice;
}

rules::fleet_object policy_object(std::string group, const rules::policy& from) {
  rules::fleet_object out;
  out.name = from.name;
  out.group = std::move(group);
  out.spec = from;
  return out;
}

} // namespace

std::string shown_path(std::string_view path) {
  return path.empty() ? "/" : std::string{path};
}

std::optional<rules::group_id> find_group(const fleet_snapshot& fleet, std::string_view path) {
  return fleet.groups.find(rules::bare_path(path));
}

net::http::response no_such_group(std::string_view path) {
  return problem(404, "there is no group '" + std::string{path} + "'; see /api/v1/groups");
}

void present(const fleet_snapshot& fleet, rules::group_id id, admin::group_info& to) {
  to.set_path(shown_path(fleet.groups.path(id)));
  to.set_number(id.number);
  to.set_fixed(is_fixed(id));
  if (const auto at = fleet.about.find(id); at != fleet.about.end()) {
    to.set_description(at->second.description);
    to.set_revision(at->second.revision);
    to.set_changed_us(at->second.changed_us);
    to.set_changed_by(at->second.changed_by);
  }
  if (const auto at = fleet.policies.find(id); at != fleet.policies.end())
    to.set_policies(static_cast<std::uint32_t>(at->second.size()));
}

void present(std::string_view group, const standing_policy& from, admin::policy_info& to) {
  to.set_application(from.policy->name);
  to.set_group(shown_path(group));
  to.set_revision(from.revision);
  to.set_changed_us(from.changed_us);
  to.set_changed_by(from.changed_by);
  to.set_settings(static_cast<std::uint32_t>(settings_of(from.policy->values)));
  to.set_locks(static_cast<std::uint32_t>(from.policy->locks.size()));
  for (const auto& profile : from.policy->profiles)
    to.add_profiles(profile.name);
}

void present(const standing_object& from, const rules::moving_rule* as_applied,
             admin::rule_info& to) {
  to.set_name(from.object.name);
  to.set_revision(from.revision);
  to.set_changed_us(from.changed_us);
  to.set_changed_by(from.changed_by);
  const auto* const rule = std::get_if<rules::rule_spec>(&from.object.spec);
  if (rule == nullptr)
    return;
  to.set_order(rule->order);
  for (const auto& condition : rule->when) {
    auto& one = *to.add_when();
    one.set_trait(std::string{rules::name_of(condition.trait)});
    for (auto& text : condition.texts())
      one.add_any_of(std::move(text));
  }
  to.set_move_to(shown_path(rules::bare_path(rule->move_to)));
  to.set_permanent(rule->permanent);
  to.set_trust_claimed(rule->trust_claimed);
  if (as_applied != nullptr)
    to.set_advice(rules::advice_on(*as_applied));
}

void present(const fleet_answer& from, admin::fleet_result& to) {
  to.set_revision(from.revision);
  to.set_unchanged(from.plan.unchanged);
  for (const auto& step : from.plan.steps)
    present(step, *to.add_steps());
}

void present(const placement_report::move& from, admin::placement_move& to) {
  to.set_device_id(from.device.text());
  to.set_device_name(from.name);
  to.set_from(shown_path(from.from));
  to.set_to(shown_path(from.to));
  to.set_rule(from.rule);
}

void present(const storage::record::fleet_object& from, const rules::fleet_key& what,
             admin::fleet_version& to) {
  to.set_revision(from.revision());
  to.set_changed_us(from.changed_ms() * 1000);
  to.set_changed_by(from.changed_by());
  to.set_removed(from.removed());
  std::string why;
  const auto spec = rules::settings_from_bytes(from.spec(), why);
  if (!spec)
    return;
  const auto object = rules::fleet_object_from(what.kind, what.group, what.name, *spec, why);
  if (object)
    to.set_document(rules::export_fleet({&*object, 1}));
}

net::http::response reply_to_order(const fleet_answer& from) {
  if (from.conflict)
    return problem(409, "the fleet is at revision " + std::to_string(from.revision) +
                          " by now; nothing was changed: read it again, and then change it");
  if (const auto& problems = from.plan.problems; !problems.empty())
    return problem(422,
                   problems.size() == 1 ? problems.front()
                                        : std::to_string(problems.size()) +
                                            " things are wrong; nothing was changed",
                   problems);
  admin::fleet_result out;
  present(from, out);
  return reply(200, out);
}

std::optional<rules::fleet_kind> fleet_kind_of(std::string_view name) {
  for (std::size_t i = 0; i < rules::fleet_kinds; ++i)
    if (const auto kind = static_cast<rules::fleet_kind>(i);
        rules::lower_case(rules::name_of(kind)) == rules::lower_case(name))
      return kind;
  return std::nullopt;
}

rules::fleet_key fleet_key_of(rules::fleet_kind kind, std::string_view group,
                              std::string_view name) {
  rules::fleet_key out{kind, {}, std::string{name}};
  if (kind == rules::fleet_kind::policy)
    out.group = comparable_path(group);
  if (kind == rules::fleet_kind::group)
    out.name = comparable_path(name);
  return out;
}

std::vector<lazy_object> objects_of(const fleet_snapshot& fleet, const object_choice& choice) {
  const auto wanted = comparable(choice);
  std::vector<lazy_object> out;
  const auto add = [&](rules::fleet_key key, std::function<rules::fleet_object()> make) {
    if (is_chosen(key, wanted))
      out.push_back({std::move(key), std::move(make)});
  };
  for (const auto id : fleet.groups.subtree(rules::group_tree::root)) {
    const auto path = fleet.groups.path(id);
    if (!is_fixed(id))
      add({rules::fleet_kind::group, {}, rules::lower_case(path)}, [&fleet, id, path] {
        const auto about = fleet.about.find(id);
        rules::fleet_object object;
        object.name = path;
        object.spec = rules::group_spec{about == fleet.about.end() ? std::string{}
                                                                   : about->second.description};
        return object;
      });
    const auto policies = fleet.policies.find(id);
    if (policies == fleet.policies.end())
      continue;
    for (const auto& [application, standing] : policies->second)
      add({rules::fleet_kind::policy, rules::lower_case(path), application},
          [path, policy = standing.policy.get()] { return policy_object(path, *policy); });
  }
  for (const auto* const list : {&fleet.rules, &fleet.tasks})
    for (const auto& standing : *list)
      add(standing.object.key(), [object = &standing.object] { return *object; });
  std::sort(out.begin(), out.end(), [](const auto& a, const auto& b) { return a.key < b.key; });
  return out;
}

} // namespace muster::actors::api
