#pragma once
// How the settings of a device stand, out of what it shall hold, what it reported, and what was set
// for it. Pure.

#include "actors/server/fleet_messages.hpp"
#include "net/wire/admin.pb.h"
#include "net/wire/agent.pb.h"

#include <map>
#include <string>
#include <string_view>

namespace muster::actors::api {

/// What a device shall hold of one application; what is not wanted is empty and 0.
struct wanted_settings {
  std::uint64_t revision = 0;
  std::string hash; ///< raw bytes
  std::uint64_t own_revision = 0;
  std::string own_hash;
};
/// By application; `manifest` may be null.
[[nodiscard]] std::map<std::string, wanted_settings> wanted_of(const manifest_ptr& manifest);

/// One application; what is not there is null. Both are not null together.
void present(std::string_view application, const wanted_settings* wanted,
             const wire::settings_state* reported, admin::application_settings& to);

/// All that are wanted or reported, by name.
void present(const manifest_ptr& manifest, const wire::settings_states& reported,
             admin::device_settings& to);

/// The policies of an application that hold for a device, joined; never null.
[[nodiscard]] rules::composed_policy::ptr compose_for(const fleet_snapshot& fleet,
                                                      const device_row& device,
                                                      const std::string& application);

/// A device's two layers of values of its own.
struct own_layers {
  rules::settings_document set = rules::settings_value::empty_map();   ///< by an administrator
  rules::settings_document local = rules::settings_value::empty_map(); ///< on the device
};

/// Every leaf that shall hold, where it comes from and who locked it, and what locks keep out.
void explain(const rules::composed_policy& policy, const own_layers& own,
             admin::effective_settings& to);

/// Canonical bytes as a document; empty ones, and ones that are no document, are an empty map.
[[nodiscard]] rules::settings_document stored_document(std::string_view bytes);

} // namespace muster::actors::api
