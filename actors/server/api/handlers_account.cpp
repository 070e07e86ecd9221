// Log-ins, passwords, and who did what.

#include "actors/server/accounts.hpp"
#include "actors/server/api/cursor.hpp"
#include "actors/server/api/handlers.hpp"
#include "actors/server/api/present.hpp"
#include "storage/audit_query.hpp"

#include <array>

namespace muster::actors::api {

void log_in(const exchange_ptr& x) {
  const auto& body = x->asked->body_as<admin::login_request>();
  if (body.user().empty() || body.user().size() > user_bytes_max
      || body.password().size() > password_bytes_max)
    return x->reply(problem(400, "a log-in names a user and a password of usual length"));
  x->self
    ->request(x->services->accounts, caf::infinite, atom::login_v,
              login_request{body.user(), body.password(), x->source})
    .then(
      [x](const login_result& result) {
        if (result.granted) {
          admin::login_reply out;
          out.set_token(result.bearer);
          out.set_expires_us(result.expires_us);
          out.set_server_id(x->services->facts.server_id);
          x->reply(200, out);
        } else if (result.retry_after_s > 0) {
          x->reply(problem_for_now(429, "too many attempts to log in; wait a while",
                                   result.retry_after_s));
        } else {
          x->reply(unauthorized("user or password is wrong"));
        }
      },
      x->or_fail());
}

void log_out(const exchange_ptr& x) {
  x->self->send(x->services->accounts, atom::logout_v, x->asked->bearer);
  x->reply(no_content());
}

void change_password(const exchange_ptr& x) {
  const auto& body = x->asked->body_as<admin::password_change>();
  password_order order;
  order.user = x->user.name;
  order.old_password = body.old_password();
  order.new_password = body.new_password();
  order.bearer = x->asked->bearer;
  order.source = x->source;
  if (order.old_password.size() > password_bytes_max)
    return x->reply(problem(403, "the old password is wrong, or there were too many attempts"));
  x->self->request(x->services->accounts, caf::infinite, atom::passwd_v, order)
    .then(
      [x](bool changed) {
        x->reply(changed ? no_content()
                         : problem(403, "the old password is wrong, or there were too many "
                                        "attempts"));
      },
      x->or_fail());
}

void tell_whoami(const exchange_ptr& x) {
  admin::whoami out;
  out.set_user(x->user.name);
  out.set_role(x->user.role);
  out.set_server_id(x->services->facts.server_id);
  out.set_server_version(x->services->facts.version);
  x->reply(200, out);
}

// -- audit ----------------------------------------------------------------------------------------

void list_audit(const exchange_ptr& x) {
  const auto asked = x->asked;
  storage::audit_query query{asked->since_us, asked->until_us, {}, asked->limit};
  if (!asked->cursor.empty()) {
    const auto time = parse_number(asked->cursor[0]);
    const auto number = parse_unsigned(asked->cursor.back());
    if (asked->cursor.size() != 2 || !time || !number)
      return x->reply(problem(400, "'cursor' is none that this list gave out"));
    query.after = storage::keys::audit_key{*time, *number};
  }
  x->read_and_reply([asked, query](const storage::store& from, net::http::response& answer) {
    storage::audit_page page;
    const auto ec = storage::find_audits(from, query, page);
    admin::audit_list out;
    for (const auto& entry : page.entries)
      present(entry, *out.add_entries());
    if (page.next)
      out.set_next_cursor(encode_cursor(
        asked->question, std::array{std::to_string(page.next->time_us),
                                    std::to_string(page.next->number)}));
    answer = reply(200, out);
    return ec;
  });
}

} // namespace muster::actors::api
