// The settings of one device: how they stand, what holds and why, and its own values.

#include "actors/rules/connector.hpp"
#include "actors/rules/settings_json.hpp"
#include "actors/server/api/device_settings.hpp"
#include "actors/server/api/handlers.hpp"
#include "actors/server/api/present_fleet.hpp"
#include "actors/server/api/stored_section.hpp"
#include "storage/keys.hpp"

#include <map>
#include <memory>
#include <utility>

namespace muster::actors::api {

namespace {

/// What the store has of the settings of a device.
struct stored_settings {
  std::int64_t received_us = 0;
  wire::settings_states states;
  storage::record::own_settings own; ///< of the application that was asked for
};

std::error_code read_stored(const storage::store& from, const device_id& device,
                            const std::string& application, stored_settings& out) {
  std::error_code ec;
  storage::record::section section;
  if (get_section(from, device.bytes, settings_states_section, section, ec)) {
    out.received_us = section.received_ms() * 1000;
    ec = unpack(section, settings_states_section, out.states);
  }
  if (ec || application.empty())
    return ec;
  const auto own = from.get(storage::family::devices,
                            storage::keys::own_settings({device.bytes, application}), ec);
  if (!ec && own)
    ec = storage::records::decode(*own, out.own);
  return ec;
}

const wire::settings_state* state_called(const wire::settings_states& all,
                                         const std::string& application) {
  for (const auto& one : all.items())
    if (one.application() == application)
      return &one;
  return nullptr;
}

/// JSON text; nothing when there are no values.
std::string json_of(const rules::settings_document& values) {
  const auto* const map = values.as_map();
  return map == nullptr || map->empty() ? std::string{} : rules::to_json(values);
}

net::http::response effective(const fleet_snapshot& fleet, const device_row& row,
                              const std::string& application, const stored_settings& stored) {
  admin::effective_settings out;
  const auto wanted = wanted_of(row.documents);
  const auto found = wanted.find(application);
  const auto* const reported = state_called(stored.states, application);
  const own_layers own{stored_document(stored.own.values()),
                       stored_document(reported == nullptr ? "" : reported->local_values())};
  explain(*compose_for(fleet, row, application), own, out);
  if (found == wanted.end() && reported == nullptr && out.settings().empty()
      && json_of(own.set).empty())
    return problem(404, "nobody has settings of '" + application
                          + "' for this device, and it reports none");
  present(application, found == wanted.end() ? nullptr : &found->second, reported,
          *out.mutable_application());
  out.set_own_values(json_of(own.set));
  out.set_local_values(json_of(own.local));
  if (reported != nullptr)
    out.set_daemon_values(json_of(stored_document(reported->daemon_values())));
  return reply(200, out);
}

/// Empty, or what is wrong with it.
std::string take(const admin::settings_order& from, own_settings_order& to) {
  std::string why;
  to.application = from.application();
  if ((why = rules::application_name_problem(to.application)); !why.empty())
    return "'application': it " + why;
  if (from.set().empty() && from.unset().empty())
    return "nothing is to be changed: give 'set' or 'unset'";
  const auto path_of = [&why](const std::string& text) {
    auto path = rules::settings_path::parse(text, why);
    if (path && path->empty())
      why = "it is the whole document; name a setting";
    return path;
  };
  // In the order of paths: a map of the wire has none.
  for (const auto& [text, json] : std::map(from.set().begin(), from.set().end())) {
    auto path = path_of(text);
    if (!path || path->empty())
      return "'set': '" + text + "': " + why;
    auto value = rules::settings_from_json(json, why);
    if (!value)
      return "'set': the value of '" + text + "' is no JSON text: " + why;
    to.set.emplace_back(std::move(*path), std::move(*value));
  }
  for (const auto& text : from.unset()) {
    auto path = path_of(text);
    if (!path || path->empty())
      return "'unset': '" + text + "': " + why;
    to.unset.push_back(std::move(*path));
  }
  return {};
}

} // namespace

void show_device_settings(const exchange_ptr& x) {
  with_device(x, [x](const device_row& row) {
    x->read_and_reply([row](const storage::store& from, net::http::response& answer) {
      stored_settings stored;
      const auto ec = read_stored(from, row.device, {}, stored);
      admin::device_settings out;
      out.set_received_us(stored.received_us);
      present(row.documents, stored.states, out);
      answer = reply(200, out);
      return ec;
    });
  });
}

void explain_device_settings(const exchange_ptr& x) {
  with_device(x, [x](const device_row& row) {
    with_fleet(x, [x, row](const fleet_snapshot_ptr& fleet) {
      x->read_and_reply([row, fleet, application = x->asked->application.value_or("")](
                          const storage::store& from, net::http::response& answer) {
        stored_settings stored;
        const auto ec = read_stored(from, row.device, application, stored);
        if (!ec)
          answer = effective(*fleet, row, application, stored);
        return ec;
      });
    });
  });
}

void set_device_settings(const exchange_ptr& x) {
  const auto& body = x->asked->body_as<admin::settings_order>();
  auto order = std::make_shared<own_settings_order>();
  if (const auto wrong = take(body, *order); !wrong.empty())
    return x->reply(problem(400, wrong));
  order->device = x->asked->device;
  with_device(x, [x, order](const device_row& row) {
    order->who = *x->audit("device.settings", row.device.text(),
                           row.name + ": " + order->application);
    x->self
      ->request(x->services->policy_book, caf::infinite, atom::apply_v,
                own_settings_order_ptr{order})
      .then([x](const fleet_answer_ptr& answer) { x->reply(reply_to_order(*answer)); },
            x->or_fail());
  });
}

} // namespace muster::actors::api
