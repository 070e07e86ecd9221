#include "actors/server/api/device_merge.hpp"

#include <algorithm>
#include <tuple>
#include <unordered_map>

namespace muster::actors::api {

namespace {

bool in_front(const device_row& a, const device_row& b) {
  return std::tie(a.name, a.device) < std::tie(b.name, b.device);
}

void mark_same_machines(std::vector<device_row>& rows) {
  std::unordered_map<machine_fingerprint, std::size_t> seen;
  for (const auto& row : rows)
    ++seen[row.fingerprint];
  for (auto& row : rows)
    row.same_machine = row.same_machine || (!row.fingerprint.is_zero() && seen[row.fingerprint] > 1);
}

} // namespace

merged_devices merge_devices(const std::vector<device_page_ptr>& pages, std::size_t limit,
                             bool from_start) {
  merged_devices out;
  bool a_full_page = false;
  for (const auto& page : pages) {
    out.matching += page->matching;
    a_full_page = a_full_page || page->rows.size() >= limit;
    out.rows.insert(out.rows.end(), page->rows.begin(), page->rows.end());
  }
  mark_same_machines(out.rows);
  std::sort(out.rows.begin(), out.rows.end(), in_front);
  const bool all_there = from_start && out.rows.size() >= out.matching;
  out.more = out.rows.size() > limit || (a_full_page && !all_there);
  if (out.rows.size() > limit)
    out.rows.erase(out.rows.begin() + static_cast<std::ptrdiff_t>(limit), out.rows.end());
  return out;
}

} // namespace muster::actors::api
