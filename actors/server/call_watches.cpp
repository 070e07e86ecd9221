#include "actors/server/call_watches.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

namespace muster::actors {

call_watch& call_watches::add(call_watch watch) {
  by_age_.push_back(std::move(watch));
  const auto at = std::prev(by_age_.end());
  by_device_.emplace(at->order.device, at);
  return *at;
}

void call_watches::erase(const call_watch& watch) {
  const auto [begin, end] = by_device_.equal_range(watch.order.device);
  const auto found =
    std::find_if(begin, end, [&](const auto& one) { return &*one.second == &watch; });
  const auto at = found->second;
  by_device_.erase(found);
  by_age_.erase(at);
}

call_watch* call_watches::find(const device_id& device, std::uint64_t number) {
  const auto [begin, end] = by_device_.equal_range(device);
  const auto found =
    std::find_if(begin, end, [&](const auto& one) { return one.second->number == number; });
  return found == end ? nullptr : &*found->second;
}

std::vector<call_watch*> call_watches::of(const device_id& device) {
  std::vector<call_watch*> out;
  if (by_age_.empty())
    return out;
  const auto [begin, end] = by_device_.equal_range(device);
  std::transform(begin, end, std::back_inserter(out),
                 [](const auto& one) { return &*one.second; });
  std::sort(out.begin(), out.end(),
            [](const auto* a, const auto* b) { return a->number < b->number; });
  return out;
}

} // namespace muster::actors
