#include "storage/fleet_history_query.hpp"

#include "storage/limits.hpp"

#include <algorithm>
#include <utility>

namespace muster::storage {

std::error_code find_fleet_history(const store& from, const fleet_history_query& query,
                                   fleet_history_page& out) {
  out = {};
  auto range = keys::fleet_histories(query.of);
  if (query.before)
    range.upper = std::min(range.upper, keys::fleet_history({query.of, *query.before}));
  const auto limit = std::clamp<std::size_t>(query.limit, 1, limits::query_rows_max);
  std::size_t bytes = 0;
  std::error_code problem;
  const auto ec = from.scan(family::meta, range, true, [&](auto key, auto value) {
    const auto parsed = keys::parse_fleet_history(key);
    record::fleet_object entry;
    problem = parsed ? records::decode(value, entry) : make_error_code(errc::corrupt);
    if (problem)
      return false;
    bytes += entry.spec().size();
    if (!out.entries.empty() && (out.entries.size() == limit || bytes > limits::query_bytes_max)) {
      out.next = out.entries.back().revision();
      return false;
    }
    entry.set_revision(parsed->revision);
    out.entries.push_back(std::move(entry));
    return true;
  });
  return ec ? ec : problem;
}

} // namespace muster::storage
