#include "actors/server/fleet_store.hpp"

#include "actors/rules/settings_codec.hpp"
#include "storage/records.hpp"

#include <algorithm>
#include <utility>

namespace muster::actors {

namespace {

using storage::family;

std::int64_t ms_of(std::int64_t us) noexcept {
  return us / 1'000;
}

storage::record::fleet_object record_of(const rules::fleet_object& object, rules::group_id group,
                                        const std::string& spec, const fleet_stamp& stamp) {
  storage::record::fleet_object out;
  out.set_kind(static_cast<std::uint32_t>(object.kind()));
  out.set_group(group.number);
  out.set_name(storage::records::clean_text(object.name));
  out.set_revision(stamp.revision);
  out.set_spec(spec);
  out.set_changed_ms(ms_of(stamp.changed_us));
  out.set_changed_by(storage::records::clean_text(stamp.changed_by));
  return out;
}

} // namespace

storage::keys::fleet_key store_key(rules::fleet_kind kind, rules::group_id group,
                                   std::string_view name) {
  // A group keeps its history when it gets another name.
  const bool is_group = kind == rules::fleet_kind::group;
  const bool in_group = is_group || kind == rules::fleet_kind::policy;
  return {static_cast<std::uint8_t>(kind), in_group ? group.number : 0,
          is_group ? std::string{} : std::string{name}};
}

std::optional<storage::keys::fleet_key> history_key(const fleet_snapshot& fleet,
                                                    const rules::fleet_key& what) {
  const bool is_group = what.kind == rules::fleet_kind::group;
  const auto group = fleet.groups.find(is_group ? what.name : what.group);
  return group ? std::optional{store_key(what.kind, *group, what.name)} : std::nullopt;
}

rules::fleet_object object_of(const rules::policy& policy) {
  rules::fleet_object out;
  out.name = policy.name;
  out.group = policy.group;
  out.spec = policy;
  return out;
}

rules::fleet_object group_object(const fleet_snapshot& fleet, rules::group_id group) {
  rules::fleet_object out;
  out.name = fleet.groups.path(group);
  const auto about = fleet.about.find(group);
  out.spec = rules::group_spec{about == fleet.about.end() ? "" : about->second.description};
  return out;
}

std::vector<rules::fleet_object> objects_of(const fleet_snapshot& fleet) {
  std::vector<rules::fleet_object> out;
  for (const auto group : fleet.groups.subtree(rules::group_tree::root)) {
    if (group != rules::group_tree::root && group != rules::group_tree::unassigned)
      out.push_back(group_object(fleet, group));
    if (const auto policies = fleet.policies.find(group); policies != fleet.policies.end())
      for (const auto& [application, standing] : policies->second)
        out.push_back(object_of(*standing.policy));
  }
  for (const auto* list : {&fleet.rules, &fleet.tasks})
    for (const auto& standing : *list)
      out.push_back(standing.object);
  return out;
}

storage::change put_group(const fleet_snapshot& fleet, rules::group_id group) {
  const auto& about = fleet.about.at(group);
  storage::record::group record;
  record.set_parent(fleet.groups.parent(group).number);
  record.set_name(std::string{fleet.groups.name(group)});
  record.set_description(storage::records::clean_text(about.description));
  record.set_revision(about.revision);
  record.set_changed_ms(ms_of(about.changed_us));
  record.set_changed_by(storage::records::clean_text(about.changed_by));
  return storage::put(family::meta, storage::keys::group(group.number),
                      storage::records::encode(record));
}

storage::change put_object(const rules::fleet_object& object, rules::group_id group,
                           const std::string& spec, const fleet_stamp& stamp) {
  return storage::put(family::meta,
                      storage::keys::fleet_object(store_key(object.kind(), group, object.name)),
                      storage::records::encode(record_of(object, group, spec, stamp)));
}

storage::change put_history(const rules::fleet_object& object, rules::group_id group,
                            const std::string& spec, const fleet_stamp& stamp, bool removed) {
  auto record = record_of(object, group, spec, stamp);
  record.set_removed(removed);
  return storage::put(
    family::meta,
    storage::keys::fleet_history({store_key(object.kind(), group, object.name), stamp.revision}),
    storage::records::encode(record));
}

storage::change put_marks(std::uint64_t revision, rules::group_id last_group) {
  storage::record::fleet_marks record;
  record.set_revision(revision);
  record.set_last_group(last_group.number);
  return storage::put(family::meta, storage::keys::setting(fleet_marks_setting),
                      storage::records::encode(record));
}

storage::change put_own(const device_id& device, const own_document& document,
                        const fleet_stamp& stamp) {
  storage::record::own_settings record;
  record.set_revision(document.revision);
  record.set_values(rules::to_bytes(document.values));
  record.set_changed_ms(ms_of(stamp.changed_us));
  record.set_changed_by(storage::records::clean_text(stamp.changed_by));
  return storage::put(family::devices,
                      storage::keys::own_settings({device.bytes, document.application}),
                      storage::records::encode(record));
}

storage::change put_own_revision(std::uint64_t revision) {
  return storage::put(family::meta, storage::keys::setting(own_revision_setting),
                      storage::records::encode_number(revision));
}

bool is_tried_before(const standing_object& a, const standing_object& b) noexcept {
  const auto order = [](const standing_object& one) {
    return std::get<rules::rule_spec>(one.object.spec).order;
  };
  return order(a) != order(b) ? order(a) < order(b) : a.object.name < b.object.name;
}

bool make_moving(fleet_snapshot& fleet) {
  fleet.moving.clear();
  for (const auto& standing : fleet.rules) {
    const auto& spec = std::get<rules::rule_spec>(standing.object.spec);
    const auto target = fleet.groups.find(spec.move_to);
    if (!target)
      return false;
    fleet.moving.push_back(rules::moving_rule_of(standing.object.name, spec, *target));
  }
  return true;
}

} // namespace muster::actors
