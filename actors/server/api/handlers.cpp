#include "actors/server/api/handlers.hpp"

#include <utility>

namespace muster::actors::api {

void handle(operation what, const exchange_ptr& x) {
  switch (what) {
    case operation::login: return log_in(x);
    case operation::logout: return log_out(x);
    case operation::change_password: return change_password(x);
    case operation::whoami: return tell_whoami(x);
    case operation::list_devices: return list_devices(x);
    case operation::show_device: return show_device(x);
    case operation::list_device_applications: return list_device_applications(x);
    case operation::list_device_run_states: return list_device_run_states(x);
    case operation::revoke_device: return revoke_device(x);
    case operation::remove_device: return remove_device(x);
    case operation::create_call: return create_call(x);
    case operation::list_calls: return list_calls(x);
    case operation::show_call: return show_call(x);
    case operation::list_applications: return list_applications(x);
    case operation::list_application_devices: return list_application_devices(x);
    case operation::list_events: return list_events(x);
    case operation::stream_events: return x->become_stream();
    case operation::list_groups: return list_groups(x);
    case operation::change_group: return change_group(x);
    case operation::list_policies: return list_policies(x);
    case operation::list_rules: return list_rules(x);
    case operation::run_rules: return run_rules(x);
    case operation::apply_fleet: return apply_fleet(x);
    case operation::export_fleet: return export_fleet(x);
    case operation::list_fleet_history: return list_fleet_history(x);
    case operation::assign_device: return assign_device(x);
    case operation::show_device_settings: return show_device_settings(x);
    case operation::explain_device_settings: return explain_device_settings(x);
    case operation::set_device_settings: return set_device_settings(x);
    case operation::create_token: return create_token(x);
    case operation::list_tokens: return list_tokens(x);
    case operation::revoke_token: return revoke_token(x);
    case operation::list_audit: return list_audit(x);
    case operation::show_server: return show_server(x);
    case operation::show_openapi: return show_openapi(x);
    case operation::show_health: return show_health(x);
    case operation::show_metrics: return show_metrics(x);
  }
}

void exchange::read(std::function<std::error_code(const storage::store&)> what,
                    std::function<void()> then) {
  const read_job job =
    std::make_shared<const std::function<std::error_code(const storage::store&)>>(std::move(what));
  // Whose connection it is picks the reader, so that one console keeps to one and the load spreads.
  const auto number = std::hash<const void*>{}(self) >> 6;
  self->request(services->reader(number), caf::infinite, atom::read_v, job)
    .then([then = std::move(then)](caf::ok_atom) { then(); }, or_fail());
}

void exchange::read_and_reply(query what) {
  const auto out = std::make_shared<net::http::response>();
  read([what = std::move(what), out](const storage::store& from) { return what(from, *out); },
       [x = shared_from_this(), out] { x->reply(std::move(*out)); });
}

} // namespace muster::actors::api
