#pragma once
// What the admin API does: a function for each operation of the route table. Each answers its
// exchange exactly once, at once or when those it asks have answered.

#include "actors/server/api/exchange.hpp"
#include "actors/server/api/routes.hpp"

#include <functional>

namespace muster::actors::api {

void handle(operation what, const exchange_ptr& x);

// -- handlers_account.cpp -------------------------------------------------------------------------
void log_in(const exchange_ptr& x);
void log_out(const exchange_ptr& x);
void change_password(const exchange_ptr& x);
void tell_whoami(const exchange_ptr& x);
void list_audit(const exchange_ptr& x);

// -- handlers_devices.cpp -------------------------------------------------------------------------
void list_devices(const exchange_ptr& x);
void show_device(const exchange_ptr& x);
void list_device_applications(const exchange_ptr& x);
void list_device_run_states(const exchange_ptr& x);
void revoke_device(const exchange_ptr& x);
void remove_device(const exchange_ptr& x);

// -- handlers_calls.cpp ---------------------------------------------------------------------------
void create_call(const exchange_ptr& x);
void list_calls(const exchange_ptr& x);
void show_call(const exchange_ptr& x);

// -- handlers_fleet.cpp ---------------------------------------------------------------------------
void list_applications(const exchange_ptr& x);
void list_application_devices(const exchange_ptr& x);
void list_events(const exchange_ptr& x);
void create_token(const exchange_ptr& x);
void list_tokens(const exchange_ptr& x);
void revoke_token(const exchange_ptr& x);

// -- handlers_groups.cpp --------------------------------------------------------------------------
void list_groups(const exchange_ptr& x);
void change_group(const exchange_ptr& x);
void list_policies(const exchange_ptr& x);
void list_rules(const exchange_ptr& x);
void run_rules(const exchange_ptr& x);
void assign_device(const exchange_ptr& x);

// -- handlers_files.cpp ---------------------------------------------------------------------------
void apply_fleet(const exchange_ptr& x);
void export_fleet(const exchange_ptr& x);
void list_fleet_history(const exchange_ptr& x);

// -- handlers_settings.cpp ------------------------------------------------------------------------
void show_device_settings(const exchange_ptr& x);
void explain_device_settings(const exchange_ptr& x);
void set_device_settings(const exchange_ptr& x);

// -- handlers_server.cpp --------------------------------------------------------------------------
void show_server(const exchange_ptr& x);
void show_openapi(const exchange_ptr& x);
void show_health(const exchange_ptr& x);
void show_metrics(const exchange_ptr& x);

// -- what several of them ask ---------------------------------------------------------------------

/// Goes on when the device of the path is known, with what the directory says of it; else 404.
void with_device(const exchange_ptr& x, std::function<void(const device_row& row)> then);
[[nodiscard]] net::http::response no_such_device();

/// Goes on with the fleet as it is.
void with_fleet(const exchange_ptr& x, std::function<void(const fleet_snapshot_ptr&)> then);

} // namespace muster::actors::api
