// What devices shall hold, and how they are told.
#include "actors/server/directory.hpp"

#include <memory>
#include <utility>

namespace muster::actors {

caf::result<admission_ptr> directory_state::compare(const device_id& device,
                                                    const document_standing&) {
  const auto* const entry = devices_->find(device);
  if (entry == nullptr || entry->revoked)
    return make_error(errc::refused, "the device is no longer known");
  auto out = std::make_shared<admission>();
  out->known = entry->digests;
  out->device_name = entry->name;
  out->keep = entry->keep;
  return admission_ptr{std::move(out)};
}

document_parcels_ptr directory_state::fetch(const device_id&, const document_wishes& wishes) {
  auto out = std::make_shared<std::vector<document_parcel>>();
  for (const auto& wish : wishes)
    out->push_back({wish.kind, wish.name, wish.hash, {}, {}, true});
  return out;
}

void directory_state::follow(const fleet_snapshot_ptr& fleet) {
  fleet_ = fleet;
}

void directory_state::follow(const device_id&, const own_documents_ptr&) {}

} // namespace muster::actors
