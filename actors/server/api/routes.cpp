#include "actors/server/api/routes.hpp"

#include "net/limits.hpp"

#include <array>

namespace muster::actors::api {

namespace {

using enum operation;
using enum parameter_kind;

constexpr parameter limit{"limit", number, "rows of one page, 1 to 1000; 100 unless given"};
constexpr parameter cursor_in{"cursor", cursor, "nextCursor of the page before"};
constexpr parameter since{"since", moment, "microseconds since 1970: then or later"};
constexpr parameter until{"until", moment, "microseconds since 1970: before that"};
constexpr parameter one_device{"device", device, "only what this device reported: its id"};
constexpr parameter step_in{"step", step, "only devices with which the call is so far"};
constexpr parameter severity_in{"severity", severity, "that and worse; info unless given"};

constexpr std::array device_query{
  parameter{"target", text, "which devices: names, globs, os:, group:, tag:, state:, id:; all unless given"},
  limit, cursor_in};
constexpr std::array section_query{limit, cursor_in};
constexpr std::array call_query{step_in, limit, cursor_in};
constexpr std::array application_query{
  parameter{"prefix", text, "names that begin with this"},
  parameter{"name", text, "exactly this name"}, limit, cursor_in};
constexpr std::array owner_query{
  parameter{"name", text, "exactly this name", true},
  parameter{"version", text, "exactly this version"}, limit, cursor_in};
constexpr std::array event_query{one_device, severity_in, since, until, limit, cursor_in};
constexpr std::array stream_query{one_device, severity_in};
constexpr std::array audit_query{since, until, limit, cursor_in};
constexpr parameter one_group{"group", text, "only of this group: its path"};
constexpr parameter kind_in{"kind", fleet_kind, "only objects of this kind"};
constexpr parameter name_in{"name", text, "of a group its path, of a policy its application"};
constexpr std::array group_query{
  parameter{"group", text, "this group and all below it; all unless given"}, limit, cursor_in};
constexpr std::array policy_query{
  parameter{"application", text, "only of this application"}, one_group, limit, cursor_in};
constexpr std::array page_query{limit, cursor_in};
constexpr std::array export_query{kind_in, name_in, one_group, cursor_in};
constexpr std::array history_query{
  parameter{"kind", fleet_kind, "of what kind it is", true},
  parameter{"name", text, "of a group its path, of a policy its application", true},
  parameter{"group", text, "of a policy: its group; the root unless given"}, limit, cursor_in};
constexpr std::array effective_query{
  parameter{"application", text, "whose settings", true}};

constexpr std::string_view none{};
constexpr std::string_view json = "application/json";

constexpr std::array<route, operations> table{{
  {"POST", "/api/v1/login", login, access::anybody, "Log in; the answer has the bearer token",
   "login_request", "login_reply"},
  {"POST", "/api/v1/logout", logout, access::user, "End this log-in", none, none, 204},
  {"POST", "/api/v1/password", change_password, access::user,
   "Change the own password; all other log-ins of the user end", "password_change", none, 204},
  {"GET", "/api/v1/whoami", whoami, access::user, "Whose token this is", none, "whoami"},
  {"GET", "/api/v1/devices", list_devices, access::user, "Devices, by name", none, "device_list",
   200, json, device_query},
  {"GET", "/api/v1/devices/{id}", show_device, access::user, "One device and what it is", none,
   "device_detail"},
  {"GET", "/api/v1/devices/{id}/applications", list_device_applications, access::user,
   "What is installed on a device", none, "device_applications", 200, json, section_query},
  {"GET", "/api/v1/devices/{id}/run_states", list_device_run_states, access::user,
   "What runs on a device", none, "device_run_states", 200, json, section_query},
  {"POST", "/api/v1/devices/{id}/revoke", revoke_device, access::administrator,
   "Refuse a device from now on", none, none, 204},
  {"DELETE", "/api/v1/devices/{id}", remove_device, access::administrator,
   "Forget a device; its key is refused for ever", none, none, 204},
  {"POST", "/api/v1/calls", create_call, access::administrator,
   "Have many devices sync, wake them, or have their connections kept or no longer", "call_order",
   "call", 201},
  {"GET", "/api/v1/calls", list_calls, access::user, "Calls of the last day, newest first", none,
   "call_list"},
  {"GET", "/api/v1/calls/{id}", show_call, access::user,
   "How far a call is, with each of its devices by name", none, "call", 200, json, call_query},
  {"GET", "/api/v1/applications", list_applications, access::user,
   "Which applications there are in the fleet, in which versions, on how many devices", none,
   "application_list", 200, json, application_query},
  {"GET", "/api/v1/application_devices", list_application_devices, access::user,
   "Who has an application", none, "application_owners", 200, json, owner_query},
  {"GET", "/api/v1/events", list_events, access::user, "Events, newest first", none, "event_list",
   200, json, event_query},
  {"GET", "/api/v1/events/stream", stream_events, access::user,
   "Events as they arrive, as server-sent events", none, "event", 200, "text/event-stream",
   stream_query},
  {"GET", "/api/v1/groups", list_groups, access::user,
   "Groups, each before those below it", none, "group_list", 200, json, group_query},
  {"POST", "/api/v1/groups/change", change_group, access::administrator,
   "Rename or move a group, with all below it", "group_change", "fleet_result"},
  {"GET", "/api/v1/policies", list_policies, access::user,
   "Policies, by application and group", none, "policy_list", 200, json, policy_query},
  {"GET", "/api/v1/rules", list_rules, access::user,
   "Moving rules, in the order in which they are tried", none, "rule_list", 200, json, page_query},
  {"POST", "/api/v1/placements", run_rules, access::administrator,
   "Run the moving rules for devices, or tell what they would do", "placement_order",
   "placement_report"},
  {"POST", "/api/v1/fleet/apply", apply_fleet, access::administrator,
   "Make groups, policies, rules and tasks as files say, or tell what would be done; all or nothing",
   "fleet_order", "fleet_result", 200, json, {}, net::limits::http_body_bytes_max},
  {"GET", "/api/v1/fleet/export", export_fleet, access::user,
   "Groups, policies, rules and tasks as YAML that apply takes back", none, none, 200,
   "application/yaml", export_query},
  {"GET", "/api/v1/fleet/history", list_fleet_history, access::user,
   "What a policy, rule or task was after each change, newest first", none, "fleet_history", 200,
   json, history_query},
  {"POST", "/api/v1/devices/{id}/assignment", assign_device, access::administrator,
   "Put a device into a group, change its tags", "device_assignment", none, 204},
  {"GET", "/api/v1/devices/{id}/settings", show_device_settings, access::user,
   "How the settings of each application stand on a device", none, "device_settings"},
  {"GET", "/api/v1/devices/{id}/settings/effective", explain_device_settings, access::user,
   "What holds for an application on a device, where it comes from, and who locked it", none,
   "effective_settings", 200, json, effective_query},
  {"POST", "/api/v1/devices/{id}/settings", set_device_settings, access::administrator,
   "Set or unset a device's own values", "settings_order", "fleet_result"},
  {"POST", "/api/v1/tokens", create_token, access::administrator,
   "Make an enrolment token; the answer alone has the secret", "token_order", "token", 201},
  {"GET", "/api/v1/tokens", list_tokens, access::user, "All enrolment tokens", none,
   "token_list"},
  {"DELETE", "/api/v1/tokens/{id}", revoke_token, access::administrator,
   "Refuse an enrolment token from now on", none, none, 204},
  {"GET", "/api/v1/audit", list_audit, access::user, "Who changed what, newest first", none,
   "audit_list", 200, json, audit_query},
  {"GET", "/api/v1/server", show_server, access::user, "How the server is doing", none,
   "server_status"},
  {"GET", "/api/v1/openapi.json", show_openapi, access::anybody, "This description", none, none},
  {"GET", "/healthz", show_health, access::anybody,
   "\"ok\", or 503 and what troubles the server", none, none, 200, "text/plain"},
  {"GET", "/metrics", show_metrics, access::user_or_loopback, "Figures for Prometheus", none, none,
   200, "text/plain"},
}};

constexpr bool in_order() {
  for (std::size_t i = 0; i < table.size(); ++i)
    if (table[i].what != static_cast<operation>(i))
      return false;
  return true;
}
static_assert(in_order(), "one route for each operation, in its order");

std::string_view cut(std::string_view& rest) {
  const auto end = rest.find('/');
  const auto part = rest.substr(0, end);
  rest = end == std::string_view::npos ? std::string_view{} : rest.substr(end + 1);
  return part;
}

/// Whether the path is of this pattern; segment by segment, an argument is never empty.
bool fits(std::string_view pattern, std::string_view path, std::string& argument) {
  if (path.empty() || path.ends_with('/'))
    return false;
  while (!pattern.empty() && !path.empty()) {
    const auto wanted = cut(pattern);
    const auto given = cut(path);
    if (wanted.starts_with('{') && !given.empty())
      argument = given;
    else if (wanted != given)
      return false;
  }
  return pattern.empty() && path.empty();
}

} // namespace

std::span<const route> routes() noexcept {
  return table;
}

match find_route(std::string_view method, std::string_view path) {
  match out;
  for (const auto& r : table) {
    std::string argument;
    if (!fits(r.path, path, argument))
      continue;
    if (r.method == method) {
      out.found = &r;
      out.argument = std::move(argument);
      out.allow.clear();
      return out;
    }
    if (!out.allow.empty())
      out.allow += ", ";
    out.allow += r.method;
  }
  return out;
}

std::string_view argument_name(const route& r) noexcept {
  const auto open = r.path.find('{');
  return open == std::string_view::npos ? std::string_view{}
                                        : r.path.substr(open + 1, r.path.find('}') - open - 1);
}

} // namespace muster::actors::api
