// Calls to many devices: given, listed, and how far each is.

#include "actors/server/api/cursor.hpp"
#include "actors/server/api/handlers.hpp"
#include "actors/server/api/present.hpp"

#include <array>

namespace muster::actors::api {

namespace {

net::http::response no_such_call() {
  return problem(404, "there is no such call; calls are remembered for a day, and until the server "
                      "restarts");
}

/// Where the page begins; empty when the cursor is not of this call.
std::optional<std::uint32_t> offset_of(const call& asked) {
  if (asked.cursor.empty())
    return 0;
  const auto offset = parse_unsigned(asked.cursor.back());
  if (asked.cursor.size() != 2 || asked.cursor.front() != asked.argument || !offset
      || *offset > std::numeric_limits<std::uint32_t>::max())
    return std::nullopt;
  return static_cast<std::uint32_t>(*offset);
}

} // namespace

void create_call(const exchange_ptr& x) {
  const auto& body = x->asked->body_as<admin::call_order>();
  const auto kind = call_kind_of(body.kind());
  if (!kind)
    return x->reply(problem(400, "'kind' must be sync, wake, keep_on or keep_off"));
  if (body.target().find_first_not_of(' ') == std::string::npos)
    return x->reply(problem(400, "'target' is empty; for every device say '*'"));
  auto order = std::make_shared<call_order>();
  order->kind = *kind;
  order->target = body.target();
  order->audit = x->audit("call." + body.kind(), body.target());
  x->self
    ->request(x->services->call_board, caf::infinite, atom::create_v,
              call_order_ptr{std::move(order)})
    .then(
      [x](const call_report_ptr& report) {
        admin::call out;
        present(*report, out);
        x->reply(201, out);
      },
      x->or_fail());
}

void list_calls(const exchange_ptr& x) {
  x->self->request(x->services->call_board, caf::infinite, atom::list_v)
    .then(
      [x](const std::vector<call_report_ptr>& all) {
        admin::call_list out;
        for (const auto& one : all)
          present(*one, *out.add_calls());
        x->reply(200, out);
      },
      x->or_fail());
}

void show_call(const exchange_ptr& x) {
  const auto number = parse_unsigned(x->asked->argument);
  if (!number || *number == 0)
    return x->reply(no_such_call());
  const auto offset = offset_of(*x->asked);
  if (!offset)
    return x->reply(problem(400, "'cursor' is none that this list gave out"));
  const call_query query{*number, *offset, x->asked->limit, x->asked->step};
  x->self->request(x->services->call_board, caf::infinite, atom::get_v, query)
    .then(
      [x](const call_report_ptr& report) {
        if (report->call == 0)
          return x->reply(no_such_call());
        admin::call out;
        present(*report, out);
        if (report->next_offset != 0)
          out.set_next_cursor(encode_cursor(
            x->asked->question,
            std::array{x->asked->argument, std::to_string(report->next_offset)}));
        x->reply(200, out);
      },
      x->or_fail());
}

} // namespace muster::actors::api
