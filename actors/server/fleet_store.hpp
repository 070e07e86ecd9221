#pragma once
// The fleet's order to the records it is kept in, and back.

#include "actors/server/fleet_messages.hpp"
#include "storage/keys.hpp"
#include "storage/store.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <unordered_map>
#include <vector>

namespace muster::actors {

/// What a policy book begins with.
struct loaded_fleet {
  std::shared_ptr<const fleet_snapshot> snapshot;
  /// Of devices that have any.
  std::unordered_map<device_id, std::shared_ptr<const own_documents>> own;
  std::vector<device_id> strays;  ///< not in the store any more; what was set for them still is
  std::uint64_t own_revision = 0; ///< of the last change of own settings
  std::size_t spec_bytes = 0;     ///< of all policies, rules and tasks
};

/// Reads groups, policies, rules, tasks and own settings once, before there are actors. Empty with
/// `ec` when the store cannot be read or a record is damaged, which is logged: a policy left out in
/// silence would be taken away from its devices.
[[nodiscard]] loaded_fleet load_fleet(const storage::store& db, std::error_code& ec);

/// When something was changed, by whom, and which change it was.
struct fleet_stamp {
  std::uint64_t revision = 0;
  std::int64_t changed_us = 0; ///< whole milliseconds, as the store keeps them
  std::string changed_by;
};

/// Where the store has an object. `group` is that of a policy, or a group's own number.
[[nodiscard]] storage::keys::fleet_key store_key(rules::fleet_kind kind, rules::group_id group,
                                                 std::string_view name);
/// The same for whoever has a key in words: what find_fleet_history() asks for. Empty: there is no
/// such group. An object that was removed has a history as long as its group is there.
[[nodiscard]] std::optional<storage::keys::fleet_key> history_key(const fleet_snapshot& fleet,
                                                                  const rules::fleet_key& what);

/// Everything that files can name: what a plan compares with, and an export writes.
[[nodiscard]] std::vector<rules::fleet_object> objects_of(const fleet_snapshot& fleet);
/// A policy as a file says it.
[[nodiscard]] rules::fleet_object object_of(const rules::policy& policy);
/// A group of the tree likewise.
[[nodiscard]] rules::fleet_object group_object(const fleet_snapshot& fleet, rules::group_id group);

// -- changes of the store
// ---------------------------------------------------------------------------

/// Where the store has what put_marks and put_own_revision say (keys::setting).
inline constexpr std::string_view fleet_marks_setting = "fleet_marks";
inline constexpr std::string_view own_revision_setting = "own_settings_revision";

[[nodiscard]] storage::change put_group(const fleet_snapshot& fleet, rules::group_id group);
/// A policy, rule or task. `spec`: its canonical bytes.
[[nodiscard]] storage::change put_object(const rules::fleet_object& object, rules::group_id group,
                                         const std::string& spec, const fleet_stamp& stamp);
[[nodiscard]] storage::change put_history(const rules::fleet_object& object, rules::group_id group,
                                          const std::string& spec, const fleet_stamp& stamp,
                                          bool removed);
[[nodiscard]] storage::change put_marks(std::uint64_t revision, rules::group_id last_group);
[[nodiscard]] storage::change put_own(const device_id& device, const own_document& document,
                                      const fleet_stamp& stamp);
[[nodiscard]] storage::change put_own_revision(std::uint64_t revision);

/// In the order in which rules are tried.
[[nodiscard]] bool is_tried_before(const standing_object& a, const standing_object& b) noexcept;
/// Makes `fleet.moving` from `fleet.rules`. False: the target of one is not there.
[[nodiscard]] bool make_moving(fleet_snapshot& fleet);

} // namespace muster::actors
