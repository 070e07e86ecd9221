#pragma once
// Everything the admin API can be asked, as one table: found by method and path, described for
// OpenAPI (openapi.hpp), checked by call.hpp. Pure.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace muster::actors::api {

/// What a route does; handlers.hpp has a function for each.
enum class operation : std::uint8_t {
  login,
  logout,
  change_password,
  whoami,
  list_devices,
  show_device,
  list_device_applications,
  list_device_run_states,
  revoke_device,
  remove_device,
  create_call,
  list_calls,
  show_call,
  list_applications,
  list_application_devices,
  list_events,
  stream_events,
  list_groups,
  change_group,
  list_policies,
  list_rules,
  run_rules,
  apply_fleet,
  export_fleet,
  list_fleet_history,
  assign_device,
  show_device_settings,
  explain_device_settings,
  set_device_settings,
  create_token,
  list_tokens,
  revoke_token,
  list_audit,
  show_server,
  show_openapi,
  show_health,
  show_metrics,
};
inline constexpr std::size_t operations = 37;

enum class access : std::uint8_t {
  anybody,
  user,             ///< a bearer token, any role
  administrator,    ///< a bearer token of the role that may change things
  user_or_loopback, ///< a bearer token, or a peer on this machine
};

/// How the text of a query parameter is read.
enum class parameter_kind : std::uint8_t {
  text,
  number,
  cursor,
  device,
  severity,
  moment,
  step,
  fleet_kind,
};

struct parameter {
  std::string_view name;
  parameter_kind kind = parameter_kind::text;
  std::string_view description;
  bool required = false;
};

/// Of a request's body, once somebody has shown a token. What takes more says so.
inline constexpr std::size_t body_bytes_max = 64 * 1024;

struct route {
  std::string_view method;
  std::string_view path;          ///< "/api/v1/devices/{id}": one name in braces at most
  operation what = operation::whoami;
  access who = access::user;
  std::string_view summary;
  std::string_view request = {};  ///< message of net/wire/admin.proto; empty: no body
  std::string_view reply = {};    ///< the same; empty with a status of 204, or see `media`
  int status = 200;
  std::string_view media = "application/json";
  std::span<const parameter> query = {};
  std::size_t body_bytes = body_bytes_max; ///< at most so many
};

[[nodiscard]] std::span<const route> routes() noexcept;

/// Where a method and a path lead.
struct match {
  const route* found = nullptr;
  std::string argument;           ///< what stands for the name in braces
  std::string allow;              ///< when only the method is wrong: "GET, POST"
};

[[nodiscard]] match find_route(std::string_view method, std::string_view path);

/// The name in braces: "id"; empty when there is none.
[[nodiscard]] std::string_view argument_name(const route& r) noexcept;

} // namespace muster::actors::api
