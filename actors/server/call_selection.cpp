#include "actors/server/call_selection.hpp"

#include "actors/server/call_limits.hpp"

#include <algorithm>
#include <memory>
#include <tuple>
#include <utility>

namespace muster::actors {

namespace {

/// Whoever says that all are meant is spared a look at each: for the directory that is the empty
/// target.
std::string for_directory(std::string target) {
  const bool all = target.find_first_not_of(" *") == std::string::npos;
  return all ? std::string{} : target;
}

} // namespace

call_selection::call_selection(std::string target, std::size_t shards)
  : target_(for_directory(std::move(target))), sources_(shards) {}

std::vector<call_selection::question> call_selection::questions() {
  std::vector<question> out;
  for (std::size_t i = 0; i < sources_.size(); ++i) {
    auto& one = sources_[i];
    if (!one.wants() || std::exchange(one.asked, true))
      continue;
    auto query = std::make_shared<device_query>();
    query->target = target_;
    query->limit = call_limits::page_rows;
    query->count = false;
    if (one.page && !one.page->rows.empty()) {
      query->after_name = one.page->rows.back().name;
      query->after_device = one.page->rows.back().device;
    }
    out.push_back({i, std::move(query)});
  }
  return out;
}

void call_selection::take(std::size_t shard, device_page_ptr page, call_ledger& into) {
  auto& one = sources_[shard];
  one.page = std::move(page);
  one.used = 0;
  one.asked = false;
  one.is_last = one.page->rows.size() < call_limits::page_rows;
  if (std::any_of(sources_.begin(), sources_.end(), [](const auto& s) { return s.wants(); }))
    return; // who is to come may be the next
  while (auto* const from = next_source()) {
    const auto& row = from->page->rows[from->used++];
    into.add(row.device, row.name);
    if (from->wants())
      return;
  }
}

call_selection::source* call_selection::next_source() {
  source* out = nullptr;
  const auto place = [](const source& s) {
    const auto& row = s.page->rows[s.used];
    return std::tie(row.name, row.device);
  };
  for (auto& one : sources_)
    if (one.has_row() && (out == nullptr || place(one) < place(*out)))
      out = &one;
  return out;
}

bool call_selection::over() const {
  return std::none_of(sources_.begin(), sources_.end(),
                      [](const auto& s) { return s.wants() || s.has_row(); });
}

} // namespace muster::actors
