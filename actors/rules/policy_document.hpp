#pragma once
// What of a policy travels to a device, as the one form that is hashed there and here.

#include "actors/rules/policy_merge.hpp"
#include "actors/rules/settings_value.hpp"

namespace muster::rules {

/// Of all groups together: {"locks": [paths], "values": {...}}.
[[nodiscard]] settings_document document_of(const composed_policy& policy);

/// Of one device's own values: {"values": {...}}.
[[nodiscard]] settings_document document_of_own(const settings_document& values);

} // namespace muster::rules
