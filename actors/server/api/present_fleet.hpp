#pragma once
// Groups, policies, rules, and what became of orders about them, as the admin API shows them. Pure.

#include "actors/server/fleet_messages.hpp"
#include "net/http.hpp"
#include "net/wire/admin.pb.h"
#include "storage/records.hpp"

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace muster::actors::api {

/// As people write it: the root's is "/".
[[nodiscard]] std::string shown_path(std::string_view path);

/// Also "/" and paths with slashes at the ends.
[[nodiscard]] std::optional<rules::group_id> find_group(const fleet_snapshot& fleet,
                                                        std::string_view path);
/// 404, and how to see which there are.
[[nodiscard]] net::http::response no_such_group(std::string_view path);

void present(const fleet_snapshot& fleet, rules::group_id id, admin::group_info& to);
void present(std::string_view group, const standing_policy& from, admin::policy_info& to);
/// `as_applied` may be null.
void present(const standing_object& from, const rules::moving_rule* as_applied,
             admin::rule_info& to);
void present(const fleet_answer& from, admin::fleet_result& to);
void present(const placement_report::move& from, admin::placement_move& to);

/// One of an object's history; without a document when what it was cannot be read any more.
void present(const storage::record::fleet_object& from, const rules::fleet_key& what,
             admin::fleet_version& to);

/// What became of an order: 200, 409 or 422.
[[nodiscard]] net::http::response reply_to_order(const fleet_answer& from);

/// An object of the fleet, made when somebody wants it: of 100,000 mostly few are wanted.
struct lazy_object {
  rules::fleet_key key;
  std::function<rules::fleet_object()> make;
};

/// Which objects; what is empty does not matter.
struct object_choice {
  std::optional<rules::fleet_kind> kind;
  std::optional<std::string> name;  ///< of a group its path
  std::optional<std::string> group; ///< of policies; others have none
};

/// "Group", "policy" ...; letter case does not count.
[[nodiscard]] std::optional<rules::fleet_kind> fleet_kind_of(std::string_view name);
[[nodiscard]] rules::fleet_key fleet_key_of(rules::fleet_kind kind, std::string_view group,
                                            std::string_view name);

/// By key, without the fixed groups. The snapshot must outlive them.
[[nodiscard]] std::vector<lazy_object> objects_of(const fleet_snapshot& fleet,
                                                  const object_choice& choice);

} // namespace muster::actors::api
