// What devices shall hold, and how they are told.
#include "actors/server/directory.hpp"
#include "actors/server/document_depot.hpp"

#include <algorithm>
#include <cstring>
#include <memory>
#include <utility>

namespace muster::actors {

namespace {

/// Eight bytes tell two manifests apart as well as sixteen: if they ever did not, the next sync, which
/// compares all of them, would.
std::uint64_t mark_of(const document_hash& digest) {
  std::uint64_t out = 0;
  std::memcpy(&out, digest.data(), sizeof out);
  return std::max(out, std::uint64_t{1});
}

} // namespace

document_audience directory_state::audience_of(const device_entry& entry) const {
  return {rules::group_id{entry.group}, devices_->text(entry.os_id), devices_->text(entry.os_name),
          devices_->text(entry.tags)};
}

device_documents_ptr directory_state::own_of(const device_id& device) const {
  const auto found = own_.find(device);
  return found != own_.end() ? found->second : nullptr;
}

/// Null while we do not know: an empty one would make the device forget everything. (The depot may
/// have heard of the fleet from another shard; what is the device's alone we must have heard ourselves.)
manifest_ptr directory_state::manifest_of(const device_entry& entry) const {
  if (!fleet_)
    return nullptr;
  return manifest_with(options_.loaded.documents->manifest_of(audience_of(entry)),
                       own_of(entry.device));
}

manifest_ptr directory_state::manifest_for(device_entry& entry, const document_standing& standing) {
  entry.documents_told = 0;
  entry.encrypted = standing.encrypted;
  if (!standing.takes_any)
    return nullptr;
  auto out = manifest_of(entry);
  entry.documents_told = mark_of(out ? out->digest : standing.digest);
  return out && out->digest != standing.digest ? out : nullptr;
}

caf::result<admission_ptr> directory_state::compare(const device_id& device,
                                                    const document_standing& standing) {
  auto* const entry = devices_->find(device);
  if (entry == nullptr || entry->revoked)
    return make_error(errc::refused, "the device is no longer known");
  auto out = std::make_shared<admission>();
  out->known = entry->digests;
  out->device_name = entry->name;
  out->keep = entry->keep;
  out->manifest = manifest_for(*entry, standing);
  return admission_ptr{std::move(out)};
}

/// At least one parcel, and of the others as many as fit.
document_parcels_ptr directory_state::fetch(const device_id& device, const document_wishes& wishes) {
  auto out = std::make_shared<std::vector<document_parcel>>();
  const auto* const entry = devices_->find(device);
  std::size_t bytes = 0;
  for (const auto& wish : wishes) {
    if (entry == nullptr || !fleet_) {
      out->push_back({wish.kind, wish.name, wish.hash, {}, {}, true});
      continue;
    }
    auto parcel =
      options_.loaded.documents->parcel_of(wish, audience_of(*entry), own_of(device), entry->encrypted);
    bytes += parcel.data.size();
    if (bytes > fleet_limits::fetch_bytes_max && !out->empty())
      break;
    out->push_back(std::move(parcel));
  }
  return out;
}

// -- what changes
// -----------------------------------------------------------------------------------

void directory_state::tell_documents(device_entry& entry) {
  if (!entry.session || entry.documents_told == 0)
    return;
  auto manifest = manifest_of(entry);
  if (!manifest || mark_of(manifest->digest) == entry.documents_told)
    return;
  entry.documents_told = mark_of(manifest->digest);
  self_->send(entry.session, atom::publish_v, std::move(manifest));
}

/// Whoever is connected is looked at in slices; an order that comes while that lasts begins again.
void directory_state::follow(const fleet_snapshot_ptr& fleet) {
  fleet_ = fleet;
  paths_.clear();
  options_.loaded.documents->follow(fleet);
  if (const auto present = telling_.lock()) {
    present->begun = false;
    return;
  }
  auto one = std::make_shared<looking>();
  one->what = look_for::who_is_told;
  telling_ = one;
  begin_looking(std::move(one));
}

/// True when all have been looked at.
bool directory_state::tell_slice(looking& what) {
  auto& depot = *options_.loaded.documents;
  auto rank = rank_behind(what);
  const auto end = std::min(rank + fleet_limits::list_slice, devices_->size());
  const auto made_before = depot.made();
  bool enough = false;
  for (; rank < end && !enough; ++rank) {
    const auto& here = devices_->at_rank(rank);
    if (!here.session || here.documents_told == 0)
      continue;
    tell_documents(*devices_->find(here.device));
    enough = depot.made() - made_before >= fleet_limits::documents_slice;
  }
  note_place(what, rank);
  if (what.over)
    depot.rest();
  return what.over;
}

void directory_state::follow(const device_id& device, const own_documents_ptr& own) {
  auto* const entry = devices_->find(device);
  if (entry == nullptr)
    return;
  if (auto documents = device_documents_of(*own))
    own_[device] = std::move(documents);
  else
    own_.erase(device);
  tell_documents(*entry);
}

} // namespace muster::actors
