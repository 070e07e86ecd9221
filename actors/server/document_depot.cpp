#include "actors/server/document_depot.hpp"

#include "actors/rules/policy_document.hpp"
#include "actors/rules/settings_codec.hpp"
#include "actors/rules/settings_diff.hpp"
#include "actors/rules/settings_secrets.hpp"
#include "actors/server/convert.hpp"
#include "actors/server/device_tags.hpp"
#include "net/documents.hpp"
#include "net/section_digest.hpp"
#include "net/wire/agent.pb.h"
#include "storage/compress.hpp"

#include <algorithm>
#include <cstring>
#include <map>
#include <optional>
#include <unordered_set>
#include <utility>

namespace muster::actors {

using rules::group_tree;
using rules::settings_value;

namespace {

document_hash digest_of(const document_manifest& manifest) {
  wire::document_manifest out;
  convert::fill(out, manifest);
  return net::manifest_digest_of(out);
}

manifest_ptr finished(document_manifest manifest) {
  if (manifest.entries.size() > net::document_limits::entries_max)
    manifest.entries.resize(net::document_limits::entries_max);
  manifest.digest = digest_of(manifest);
  return std::make_shared<const document_manifest>(std::move(manifest));
}

/// As devices get it: what is marked as secret without its mark.
std::string bytes_of(const rules::settings_document& document) {
  return rules::to_bytes(rules::has_secrets(document) ? rules::revealed(document) : document);
}

std::optional<settings_value> read(const std::string& bytes) {
  std::string ignored;
  return rules::settings_from_bytes(bytes, ignored);
}

void append_number(std::string& to, std::uint32_t number) {
  to.append(reinterpret_cast<const char*>(&number), sizeof number);
}

} // namespace

device_documents_ptr device_documents_of(const own_documents& said) {
  if (said.all.empty())
    return nullptr;
  auto out = std::make_shared<device_documents>();
  out->all = said.all;
  std::sort(out->all.begin(), out->all.end(),
            [](const auto& a, const auto& b) { return a.application < b.application; });
  for (const auto& one : out->all)
    out->entries.push_back(
      {document_kind::own_settings, one.application, one.revision,
       net::section_digest_of(bytes_of(rules::document_of_own(one.values)))});
  return out;
}

rules::group_id standing_group_of(const fleet_snapshot& fleet, std::uint32_t number) {
  const rules::group_id group{number};
  return fleet.groups.has(group) ? group : group_tree::unassigned;
}

manifest_ptr manifest_with(const manifest_ptr& common, const device_documents_ptr& own) {
  if (!own || !common)
    return common;
  document_manifest out;
  out.entries = common->entries;
  out.entries.insert(out.entries.end(), own->entries.begin(), own->entries.end());
  return finished(std::move(out));
}

std::size_t document_depot::hash_hash::operator()(const document_hash& hash) const noexcept {
  std::size_t out = 0;
  std::memcpy(&out, hash.data(), sizeof out);
  return out;
}

std::size_t document_depot::parcel_hash::operator()(const parcel_key& key) const noexcept {
  return hash_hash{}(key.base) * 31 + hash_hash{}(key.hash);
}

// -- manifests ------------------------------------------------------------------------------------

/// Hashes of ways whose policies all stand on are as good as before: a policy that changed is another
/// object.
void document_depot::follow(const fleet_snapshot_ptr& fleet) {
  const std::lock_guard lock(mutex_);
  if (fleet == fleet_ || (fleet_ && fleet->revision < fleet_->revision))
    return;
  std::unordered_set<const rules::policy*> present;
  for (const auto& [group, policies] : fleet->policies)
    for (const auto& [name, standing] : policies)
      present.insert(standing.policy.get());
  std::erase_if(marks_, [&](const auto& known) {
    for (std::size_t at = 0; at < known.first.size(); at += sizeof(step)) {
      step one;
      std::memcpy(&one, known.first.data() + at, sizeof one);
      if (!present.contains(one.policy))
        return true;
    }
    return false;
  });
  ways_.clear();
  manifests_.clear();
  std::erase_if(different_, [](const auto& one) { return one.second.expired(); });
  composer_.forget();
  fleet_ = fleet; // last: until here the policies of the one before have kept their addresses
}

manifest_ptr document_depot::manifest_of(const document_audience& audience) {
  const std::lock_guard lock(mutex_);
  return find_manifest(audience);
}

manifest_ptr document_depot::find_manifest(const document_audience& audience) {
  if (!fleet_)
    return nullptr;
  std::string key;
  append_number(key, audience.group.number);
  for (const auto text : {audience.os_id, audience.os_name, audience.tags}) {
    append_number(key, static_cast<std::uint32_t>(text.size()));
    key += text;
  }
  if (const auto found = manifests_.find(key); found != manifests_.end())
    return found->second;
  if (manifests_.size() >= fleet_limits::audiences_max)
    manifests_.clear();
  auto out = make_manifest(audience);
  manifests_.emplace(std::move(key), out);
  return out;
}

manifest_ptr document_depot::make_manifest(const document_audience& audience) {
  const auto group = standing_group_of(*fleet_, audience.group.number);
  const auto ways = ways_of(group);
  const auto traits = traits_of(group, audience);
  const auto device = traits.device();
  document_manifest out;
  for (const auto& one : *ways)
    out.entries.push_back(
      {document_kind::settings, one.application, one.revision, mark_of(one, device).hash});
  return shared(finished(std::move(out)));
}

/// By application, as a manifest must be.
document_depot::ways_ptr document_depot::ways_of(rules::group_id group) {
  auto& known = ways_[group];
  if (known)
    return known;
  std::map<std::string_view, way> out;
  for (const auto on_the_way : fleet_->groups.way_to(group)) {
    const auto found = fleet_->policies.find(on_the_way);
    if (found == fleet_->policies.end())
      continue;
    for (const auto& [application, standing] : found->second) {
      auto& to = out[application];
      to.application = application;
      to.policies.push_back(standing.policy);
      to.revision = std::max(to.revision, standing.revision);
    }
  }
  auto all = std::make_shared<std::vector<way>>();
  for (auto& [application, one] : out)
    all->push_back(std::move(one));
  return known = std::move(all);
}

document_depot::audience_traits document_depot::traits_of(rules::group_id group,
                                                          const document_audience& audience) const {
  return {fleet_->groups.path(group), split_tags(audience.tags), audience};
}

rules::device_traits document_depot::audience_traits::device() const {
  rules::device_traits out;
  out.os_id = audience.os_id;
  out.os_name = audience.os_name;
  out.group = group;
  out.tags = tags;
  return out;
}

document_depot::document_mark document_depot::mark_of(const way& of,
                                                      const rules::device_traits& device) {
  std::string key;
  for (const auto& policy : of.policies) {
    step one;
    std::memset(&one, 0, sizeof one); // bytes that belong to no member, too: these are compared
    one.policy = policy.get();
    one.active = rules::active_profiles(*policy, device);
    key.append(reinterpret_cast<const char*>(&one), sizeof one);
  }
  if (const auto found = marks_.find(key); found != marks_.end())
    return found->second;
  if (marks_.size() >= fleet_limits::document_ways_max)
    marks_.clear();
  const auto document = make_settings(of, device);
  const auto bytes = std::make_shared<const std::string>(bytes_of(document));
  const document_mark out{net::section_digest_of(*bytes), rules::has_secrets(document)};
  documents_.put(out.hash, bytes);
  marks_.emplace(std::move(key), out);
  return out;
}

rules::settings_document document_depot::make_settings(const way& of,
                                                       const rules::device_traits& device) {
  ++made_;
  return rules::document_of(*composer_.compose(of.policies, device));
}

manifest_ptr document_depot::shared(manifest_ptr fresh) {
  auto& known = different_[fresh->digest];
  if (auto before = known.lock())
    return before;
  known = fresh;
  return fresh;
}

std::size_t document_depot::made() const {
  const std::lock_guard lock(mutex_);
  return made_;
}

void document_depot::rest() {
  const std::lock_guard lock(mutex_);
  composer_.forget();
}

// -- parcels --------------------------------------------------------------------------------------

document_parcel document_depot::parcel_of(const document_wish& wish,
                                          const document_audience& audience,
                                          const device_documents_ptr& own, bool encrypted) {
  document_parcel out;
  out.kind = wish.kind;
  out.name = wish.name;
  out.hash = wish.hash;
  const std::lock_guard lock(mutex_);
  const auto bytes = wish.kind == document_kind::settings ? settings_of(wish, audience, encrypted)
                                                          : own_of(wish, own, encrypted);
  if (!bytes) {
    out.gone = true;
    return out;
  }
  auto packed = whole_of(wish.hash, *bytes);
  const auto patch = patch_of({wish.have, wish.hash}, *bytes);
  if (patch && patch->size() < packed->size()) {
    out.base = wish.have;
    packed = patch;
  }
  out.data = *packed;
  return out;
}

/// Made again when it has fallen out of what is kept.
document_depot::text_ptr document_depot::settings_of(const document_wish& wish,
                                                     const document_audience& audience,
                                                     bool encrypted) {
  if (!fleet_)
    return nullptr;
  const auto group = standing_group_of(*fleet_, audience.group.number);
  const auto ways = ways_of(group);
  const auto found = std::find_if(ways->begin(), ways->end(),
                                  [&](const auto& one) { return one.application == wish.name; });
  if (found == ways->end())
    return nullptr;
  const auto traits = traits_of(group, audience);
  const auto mark = mark_of(*found, traits.device());
  if (mark.hash != wish.hash || (mark.secret && !encrypted))
    return nullptr;
  if (auto known = documents_.find(wish.hash))
    return known;
  auto made = std::make_shared<const std::string>(bytes_of(make_settings(*found, traits.device())));
  documents_.put(wish.hash, made);
  return made;
}

/// Kept, too: what it was the next change is sent as a patch of.
document_depot::text_ptr document_depot::own_of(const document_wish& wish,
                                                const device_documents_ptr& own, bool encrypted) {
  for (std::size_t i = 0; own && i < own->all.size(); ++i) {
    const auto& values = own->all[i].values;
    if (own->entries[i].name != wish.name || own->entries[i].hash != wish.hash ||
        (!encrypted && rules::has_secrets(values)))
      continue;
    auto bytes = std::make_shared<const std::string>(bytes_of(rules::document_of_own(values)));
    documents_.put(wish.hash, bytes);
    return bytes;
  }
  return nullptr;
}

document_depot::text_ptr document_depot::whole_of(const document_hash& hash,
                                                  const std::string& bytes) {
  const parcel_key key{{}, hash};
  if (auto known = parcels_.find(key))
    return known;
  auto made = std::make_shared<const std::string>(storage::compress(bytes));
  parcels_.put(key, made);
  return made;
}

/// Null when the base is not known (any more).
document_depot::text_ptr document_depot::patch_of(const parcel_key& key, const std::string& bytes) {
  if (key.base == document_hash{} || key.base == key.hash)
    return nullptr;
  if (auto known = parcels_.find(key))
    return known;
  const auto base = documents_.find(key.base);
  const auto before = base ? read(*base) : std::nullopt;
  const auto after = before ? read(bytes) : std::nullopt;
  if (!after)
    return nullptr;
  auto made = std::make_shared<const std::string>(storage::compress(rules::patch(*before, *after)));
  parcels_.put(key, made);
  return made;
}

} // namespace muster::actors
