#include "actors/server/api/device_settings.hpp"

#include "actors/rules/settings_codec.hpp"
#include "actors/rules/settings_json.hpp"
#include "actors/server/api/present_fleet.hpp"
#include "net/certificate.hpp"

#include <memory>
#include <set>
#include <vector>

namespace muster::actors::api {

namespace {

constexpr std::int64_t second_us = 1'000'000;

std::string_view state_of(wire::settings_outcome outcome) noexcept {
  switch (outcome) {
    case wire::settings_applied: return "done";
    case wire::settings_refused: return "refused";
    case wire::settings_failed: return "failed";
    case wire::settings_no_connector: return "not managed";
    case wire::settings_not_installed: return "not installed";
    case wire::settings_unsafe: return "unsafe";
    default: return "unknown"; // of a newer agent
  }
}

std::string_view name_of(wire::settings_outcome outcome) noexcept {
  switch (outcome) {
    case wire::settings_applied: return "applied";
    case wire::settings_refused: return "refused";
    case wire::settings_failed: return "failed";
    case wire::settings_no_connector: return "no connector";
    case wire::settings_not_installed: return "not installed";
    case wire::settings_unsafe: return "unsafe";
    default: return "";
  }
}

std::string_view state_of(const wanted_settings* wanted, const wire::settings_state* reported) {
  if (wanted == nullptr)
    return "released";
  if (reported == nullptr || reported->hash() != wanted->hash
      || reported->own_hash() != wanted->own_hash)
    return "pending";
  return state_of(reported->outcome());
}

std::string hexadecimal(std::string_view bytes) {
  return net::to_hex({reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size()});
}

void present(const rules::setting_source& from, admin::setting_source& to) {
  to.set_group(shown_path(from.group));
  to.set_profile(from.profile);
}

rules::device_traits traits_of(const device_row& row, const std::vector<std::string_view>& tags) {
  rules::device_traits out;
  out.name = row.name;
  out.os_id = row.os_id;
  out.os_name = row.os_name;
  out.device = row.device;
  out.state = static_cast<rules::device_state>(row.state);
  out.status = static_cast<rules::device_status>(row.status);
  out.keep = row.keep;
  out.group = row.group_path;
  out.tags = tags;
  return out;
}

} // namespace

std::map<std::string, wanted_settings> wanted_of(const manifest_ptr& manifest) {
  std::map<std::string, wanted_settings> out;
  if (!manifest)
    return out;
  for (const auto& entry : manifest->entries) {
    auto& one = out[entry.name];
    const std::string hash(entry.hash.begin(), entry.hash.end());
    if (entry.kind == document_kind::settings) {
      one.revision = entry.revision;
      one.hash = hash;
    } else {
      one.own_revision = entry.revision;
      one.own_hash = hash;
    }
  }
  return out;
}

void present(std::string_view application, const wanted_settings* wanted,
             const wire::settings_state* reported, admin::application_settings& to) {
  to.set_application(std::string{application});
  to.set_state(std::string{state_of(wanted, reported)});
  if (wanted != nullptr) {
    to.set_wanted_revision(wanted->revision);
    to.set_wanted_hash(hexadecimal(wanted->hash));
    to.set_own_revision(wanted->own_revision);
  }
  if (reported == nullptr)
    return;
  to.set_reported_revision(reported->revision());
  to.set_outcome(std::string{name_of(reported->outcome())});
  to.set_detail(reported->detail());
  to.set_since_us(reported->since_s() * second_us);
  to.set_changed_locally(!reported->local_values().empty());
}

void present(const manifest_ptr& manifest, const wire::settings_states& reported,
             admin::device_settings& to) {
  const auto wanted = wanted_of(manifest);
  std::map<std::string_view, const wire::settings_state*> said;
  std::set<std::string_view> names;
  for (const auto& [name, one] : wanted)
    names.insert(name);
  for (const auto& one : reported.items()) {
    said.emplace(one.application(), &one);
    names.insert(one.application());
  }
  for (const auto name : names) {
    const auto w = wanted.find(std::string{name});
    const auto r = said.find(name);
    present(name, w == wanted.end() ? nullptr : &w->second, r == said.end() ? nullptr : r->second,
            *to.add_applications());
  }
}

rules::composed_policy::ptr compose_for(const fleet_snapshot& fleet, const device_row& device,
                                        const std::string& application) {
  std::vector<rules::policy_ptr> path;
  for (const auto id : fleet.groups.way_to(rules::group_id{device.group})) {
    const auto policies = fleet.policies.find(id);
    if (policies == fleet.policies.end())
      continue;
    if (const auto at = policies->second.find(application); at != policies->second.end())
      path.push_back(at->second.policy);
  }
  if (path.empty()) {
    rules::policy nothing;
    nothing.name = application;
    return rules::composed_policy::compose(nullptr, nothing, 0);
  }
  const std::vector<std::string_view> tags(device.tags.begin(), device.tags.end());
  return rules::policy_composer{}.compose(path, traits_of(device, tags));
}

void explain(const rules::composed_policy& policy, const own_layers& own,
             admin::effective_settings& to) {
  // What was set for the device takes the place of what was changed on it.
  const auto together = rules::with_own(own.local, rules::lock_set{}, own.set);
  for (const auto& one : policy.explain(together)) {
    auto& row = *to.add_settings();
    row.set_path(one.path.text());
    row.set_value(rules::to_json(one.value));
    if (one.from.device)
      row.set_from(rules::value_at(own.set, one.path) != nullptr ? "own" : "local");
    else {
      row.set_from("policy");
      present(one.from, *row.mutable_policy());
    }
    if (one.locked_by)
      present(*one.locked_by, *row.mutable_locked_by());
  }
  for (const auto& path : rules::overruled(policy.locks(), together))
    to.add_overruled(path.text());
}

rules::settings_document stored_document(std::string_view bytes) {
  std::string problem;
  auto out = bytes.empty() ? std::nullopt : rules::settings_from_bytes(bytes, problem);
  return out && out->is_map() ? std::move(*out) : rules::settings_value::empty_map();
}

} // namespace muster::actors::api
