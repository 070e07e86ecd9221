#include "actors/server/api/fleet_page.hpp"

namespace muster::actors::api {

std::optional<std::size_t> row_of_page(const exchange_ptr& x, std::uint64_t revision) {
  const auto& cursor = x->asked->cursor;
  if (cursor.empty())
    return 0;
  const auto of = parse_unsigned(cursor.front());
  const auto row = parse_unsigned(cursor.back());
  if (cursor.size() != 2 || !of || !row) {
    x->reply(problem(400, "'cursor' is none that this list gave out"));
    return std::nullopt;
  }
  if (*of != revision) {
    x->reply(problem(409, "the fleet has been changed meanwhile; begin the list anew"));
    return std::nullopt;
  }
  return *row;
}

} // namespace muster::actors::api
