#pragma once
// Lists of the fleet's order, page by page. A page belongs to one revision: what comes behind it
// is of the same fleet, or the list has to be begun anew.

#include "actors/server/api/cursor.hpp"
#include "actors/server/api/exchange.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <optional>
#include <string>

namespace muster::actors::api {

/// Where the page begins. Empty when a refusal has been the answer: the cursor is of no such list
/// (400), or of another revision (409).
[[nodiscard]] std::optional<std::size_t> row_of_page(const exchange_ptr& x, std::uint64_t revision);

[[nodiscard]] inline std::string cursor_of_row(const exchange_ptr& x, std::uint64_t revision,
                                               std::size_t row) {
  return encode_cursor(x->asked->question,
                       std::array{std::to_string(revision), std::to_string(row)});
}

/// Answers with rows of `all` from the cursor on, by `add(row, list)`; fewer rows than asked for when
/// they are too large together.
template <class List, class Rows, class Add>
void reply_page(const exchange_ptr& x, std::uint64_t revision, const Rows& all, Add add) {
  const auto begin = row_of_page(x, revision);
  if (!begin)
    return;
  const auto first = std::min(*begin, all.size());
  for (auto rows = std::min<std::size_t>(x->asked->limit, all.size() - first);; rows /= 2) {
    List out;
    out.set_revision(revision);
    for (std::size_t i = first; i < first + rows; ++i)
      add(all[i], out);
    if (first + rows < all.size())
      out.set_next_cursor(cursor_of_row(x, revision, first + rows));
    auto answer = reply(200, out);
    if (answer.body.size() <= answer_bytes_max || rows <= 1)
      return x->reply(std::move(answer));
  }
}

} // namespace muster::actors::api
