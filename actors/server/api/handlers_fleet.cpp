// What the fleet has and what happened in it, and the tokens by which it grows.

#include "actors/server/api/cursor.hpp"
#include "actors/server/api/handlers.hpp"
#include "actors/server/api/host_name.hpp"
#include "actors/server/api/present.hpp"
#include "actors/server/api/present_fleet.hpp"
#include "storage/application_query.hpp"
#include "storage/event_query.hpp"
#include "storage/records.hpp"

#include <algorithm>
#include <array>

namespace muster::actors::api {

namespace {

constexpr std::int64_t day_s = 86'400;
constexpr std::int64_t token_lifetime_max_s = 3'660 * day_s;
constexpr std::size_t token_name_bytes_max = 255;

net::http::response foreign_cursor() {
  return problem(400, "'cursor' is none that this list gave out");
}

/// The path of the group that a token's devices go to; empty: of none.
std::string group_of_token(const fleet_snapshot& fleet, std::uint32_t number) {
  const rules::group_id id{number};
  return fleet.groups.has(id) ? shown_path(fleet.groups.path(id)) : std::string{};
}

void make_token(const exchange_ptr& x, const token_order& order) {
  const auto token = std::make_shared<admin::token>();
  const auto both = gather([x, token] { x->reply(201, *token); });
  both->ask<token_infos>(
    x, x->services->enroller,
    [x, token](const token_infos& made) {
      if (!made->empty())
        present(made->front(), *token);
      token->set_pin(x->services->facts.pin);
    },
    atom::create_v, order);
  both->ask<std::uint16_t>(
    x, x->root,
    [x, token](std::uint16_t port) {
      const auto& known = x->services->facts.agents_public_name;
      token->set_server(storage::records::clean_text(agents_address(
        known.empty() ? host_for_clients(x->asked->request.header("host")) : known, port)));
    },
    atom::bound_v, door::agents_tls);
  if (order.group != 0)
    both->ask<fleet_snapshot_ptr>(
      x, x->services->policy_book,
      [token, group = order.group](const fleet_snapshot_ptr& fleet) {
        token->set_group(group_of_token(*fleet, group));
      },
      atom::get_v);
  both->arrive();
}

} // namespace

// -- applications ---------------------------------------------------------------------------------

void list_applications(const exchange_ptr& x) {
  const auto asked = x->asked;
  storage::application_query query{asked->prefix, asked->name, {}, asked->limit};
  if (const auto& c = asked->cursor; !c.empty()) {
    if (c.size() != 4)
      return x->reply(foreign_cursor());
    query.after = storage::application_count{c[0], c[1], c[2], c[3], 0};
  }
  x->read_and_reply([asked, query](const storage::store& from, net::http::response& answer) {
    storage::application_page page;
    const auto ec = storage::count_applications(from, query, page);
    admin::application_list out;
    for (const auto& row : page.applications) {
      auto& to = *out.add_applications();
      to.set_name(row.name);
      to.set_version(row.version);
      to.set_architecture(row.architecture);
      to.set_manager(row.manager);
      to.set_devices(row.devices);
    }
    if (page.more) {
      const auto& last = page.applications.back();
      out.set_next_cursor(encode_cursor(
        asked->question, std::array{last.name, last.version, last.architecture, last.manager}));
    }
    answer = reply(200, out);
    return ec;
  });
}

void list_application_devices(const exchange_ptr& x) {
  const auto asked = x->asked;
  storage::owner_query query{asked->name.value_or(""), asked->version, {}, asked->limit};
  if (const auto& c = asked->cursor; !c.empty()) {
    const auto device = device_id::from_text(c.back());
    if (c.size() != 4 || !device)
      return x->reply(foreign_cursor());
    query.after = storage::application_owner{device->bytes, {}, c[0], c[1], c[2]};
  }
  x->read_and_reply([asked, query](const storage::store& from, net::http::response& answer) {
    storage::owner_page page;
    const auto ec = storage::find_owners(from, query, page);
    admin::application_owners out;
    for (const auto& row : page.owners) {
      auto& to = *out.add_owners();
      to.set_device_id(device_id{row.device}.text());
      to.set_device_name(row.device_name);
      to.set_version(row.version);
      to.set_architecture(row.architecture);
      to.set_manager(row.manager);
    }
    if (page.more) {
      const auto& last = page.owners.back();
      out.set_next_cursor(
        encode_cursor(asked->question, std::array{last.version, last.architecture, last.manager,
                                                  device_id{last.device}.text()}));
    }
    answer = reply(200, out);
    return ec;
  });
}

// -- events ---------------------------------------------------------------------------------------

void list_events(const exchange_ptr& x) {
  const auto asked = x->asked;
  storage::event_query query;
  if (asked->of_device)
    query.device = asked->of_device->bytes;
  query.severity_min = static_cast<std::uint8_t>(asked->severity_min);
  query.since_us = asked->since_us;
  query.until_us = asked->until_us;
  query.limit = asked->limit;
  if (const auto& c = asked->cursor; !c.empty()) {
    const auto received = parse_number(c.front());
    const auto sequence = parse_unsigned(c.back());
    if (c.size() != 2 || !received || !sequence)
      return x->reply(foreign_cursor());
    query.after = storage::event_cursor{*received, *sequence};
  }
  x->read_and_reply([asked, query](const storage::store& from, net::http::response& answer) {
    storage::event_page page;
    const auto ec = storage::find_events(from, query, page);
    admin::event_list out;
    for (const auto& event : page.events)
      present(event, *out.add_events());
    if (page.next)
      out.set_next_cursor(encode_cursor(
        asked->question, std::array{std::to_string(page.next->received_us),
                                    std::to_string(page.next->sequence)}));
    answer = reply(200, out);
    return ec;
  });
}

// -- enrolment tokens -----------------------------------------------------------------------------

void create_token(const exchange_ptr& x) {
  const auto& body = x->asked->body_as<admin::token_order>();
  if (body.name().size() > token_name_bytes_max)
    return x->reply(problem(400, "a token's name has at most 255 bytes"));
  if (body.lifetime_s() < -1 || body.lifetime_s() > token_lifetime_max_s)
    return x->reply(problem(400, "'lifetimeS' is -1 (no end), 0 (24 hours), or the seconds of at "
                                 "most ten years"));
  token_order order;
  order.name = body.name();
  order.lifetime_s = body.lifetime_s() == -1 ? 0 : body.lifetime_s() == 0 ? day_s
                                                                          : body.lifetime_s();
  order.uses_max = body.uses_max();
  order.audit = x->audit("token.create", body.name());
  if (body.group().empty())
    return make_token(x, order);
  with_fleet(x, [x, order](const fleet_snapshot_ptr& fleet) mutable {
    const auto& path = x->asked->body_as<admin::token_order>().group();
    const auto group = find_group(*fleet, path);
    if (!group)
      return x->reply(no_such_group(path));
    order.group = group->number;
    make_token(x, order);
  });
}

void list_tokens(const exchange_ptr& x) {
  with_fleet(x, [x](const fleet_snapshot_ptr& fleet) {
    x->self->request(x->services->enroller, caf::infinite, atom::list_v)
      .then(
        [x, fleet](const token_infos& all) {
          admin::token_list out;
          for (const auto& one : *all) {
            auto& to = *out.add_tokens();
            present(one, to);
            to.set_group(group_of_token(*fleet, one.group));
          }
          x->reply(200, out);
        },
        x->or_fail());
  });
}

void revoke_token(const exchange_ptr& x) {
  const auto& id = x->asked->argument;
  x->self
    ->request(x->services->enroller, caf::infinite, atom::revoke_v, id,
              x->audit("token.revoke", id))
    .then(
      [x](bool known) {
        x->reply(known ? no_content() : problem(404, "there is no such enrolment token"));
      },
      x->or_fail());
}

} // namespace muster::actors::api
