#include "actors/server/event_budgets.hpp"

#include "actors/rules/shard.hpp"

#include <spdlog/fmt/fmt.h>

#include <algorithm>

namespace muster::actors {

event_budgets::event_budgets(event_allowance allowance) : allowance_(allowance) {}

event_budgets::time_point event_budgets::due(const rules::device_id& device,
                                             time_point now) const {
  const auto& mine = parts_[index_of(device)];
  const std::lock_guard lock(mine.mutex);
  const auto found = mine.whole_at.find(device);
  return found == mine.whole_at.end() ? now : found->second - time_for(allowance_.burst);
}

std::optional<event_budgets::time_point>
event_budgets::spend(const rules::device_id& device, std::uint64_t cost, time_point now) {
  if (allowance_.per_second == 0)
    return now;
  const auto stock = time_for(allowance_.burst);
  auto& mine = parts_[index_of(device)];
  const std::lock_guard lock(mine.mutex);
  if (mine.whole_at.size() >= mine.look_at)
    forget_whole(mine, now);
  auto& whole_at = mine.whole_at.try_emplace(device, now).first->second;
  whole_at = std::max(whole_at, now);
  if (whole_at - now > stock + time_for(session_limits::event_overdraft)) {
    ++refused_;
    return std::nullopt;
  }
  whole_at += time_for(cost);
  const auto again = whole_at - stock;
  if (again > now)
    ++delayed_;
  return again;
}

std::size_t event_budgets::devices() const {
  std::size_t out = 0;
  for (const auto& one : parts_) {
    const std::lock_guard lock(one.mutex);
    out += one.whole_at.size();
  }
  return out;
}

std::string event_budgets::metrics() const {
  return fmt::format("# TYPE muster_event_batches_delayed_total counter\n"
                     "muster_event_batches_delayed_total {}\n"
                     "# TYPE muster_event_batches_refused_total counter\n"
                     "muster_event_batches_refused_total {}\n"
                     "# TYPE muster_event_budgets gauge\n"
                     "muster_event_budgets {}\n",
                     delayed_.load(), refused_.load(), devices());
}

std::size_t event_budgets::index_of(const rules::device_id& device) const {
  return rules::shard_of(device, parts_.size());
}

std::chrono::nanoseconds event_budgets::time_for(std::uint64_t events) const {
  if (allowance_.per_second == 0)
    return {};
  constexpr std::uint64_t second = 1'000'000'000;
  return std::chrono::nanoseconds{events / allowance_.per_second * second +
                                  events % allowance_.per_second * second / allowance_.per_second};
}

/// Paid for by the entries that were added since it was last done.
void event_budgets::forget_whole(part& of, time_point now) {
  std::erase_if(of.whole_at, [&](const auto& one) { return one.second <= now; });
  of.look_at = std::max<std::size_t>(64, 2 * of.whole_at.size());
}

} // namespace muster::actors
