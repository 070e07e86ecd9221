#pragma once
// The specs of groups, policies and moving rules, from nodes and as documents. A task's has a
// header of its own (task_spec.hpp).

#include "actors/rules/fleet_document.hpp"

namespace muster::rules {

[[nodiscard]] group_spec group_from_node(const yaml_node& spec,
                                         std::vector<text_problem>& problems);
/// Name and group are set by the caller.
[[nodiscard]] policy policy_from_node(const yaml_node& spec, std::vector<text_problem>& problems);
[[nodiscard]] rule_spec rule_from_node(const yaml_node& spec, std::vector<text_problem>& problems);

[[nodiscard]] settings_document spec_document(const group_spec& spec);
[[nodiscard]] settings_document spec_document(const policy& spec);
[[nodiscard]] settings_document spec_document(const rule_spec& spec);

/// Empty, or what is wrong with a path of groups as such; "" and "/" are the root.
[[nodiscard]] std::string group_path_problem(std::string_view path);
/// Without slashes at the ends.
[[nodiscard]] std::string_view bare_path(std::string_view path) noexcept;
/// ASCII letters only.
[[nodiscard]] std::string lower_case(std::string_view text);

} // namespace muster::rules
