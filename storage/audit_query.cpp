#include "storage/audit_query.hpp"

#include "storage/limits.hpp"

#include <algorithm>
#include <utility>

namespace muster::storage {

std::error_code find_audits(const store& from, const audit_query& query, audit_page& out) {
  out = {};
  auto range = keys::audits(query.since_us, query.until_us);
  if (query.after)
    range.upper = std::min(range.upper, keys::audit(query.after->time_us, query.after->number));
  const auto limit = std::clamp<std::size_t>(query.limit, 1, limits::query_rows_max);
  std::optional<keys::audit_key> last;
  std::error_code problem;
  const auto ec = from.scan(family::audit, range, true, [&](auto key, auto value) {
    if (out.entries.size() == limit) {
      out.next = last;
      return false;
    }
    last = keys::parse_audit(key);
    record::audit entry;
    problem = last ? records::decode(value, entry) : make_error_code(errc::corrupt);
    out.entries.push_back(std::move(entry));
    return !problem;
  });
  return ec ? ec : problem;
}

} // namespace muster::storage
