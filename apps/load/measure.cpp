#include "apps/load/measure.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

namespace muster::load {

void latencies::add(std::chrono::microseconds took) {
  constexpr std::int64_t most = std::numeric_limits<std::uint32_t>::max();
  all_.push_back(static_cast<std::uint32_t>(std::clamp<std::int64_t>(took.count(), 0, most)));
  sorted_ = false;
}

std::chrono::microseconds latencies::quantile(double share) const {
  if (all_.empty())
    return {};
  if (!std::exchange(sorted_, true))
    std::sort(all_.begin(), all_.end());
  const auto rank = std::ceil(share * static_cast<double>(all_.size()));
  const auto at = static_cast<std::size_t>(std::max(rank, 1.0)) - 1;
  return std::chrono::microseconds{all_[std::min(at, all_.size() - 1)]};
}

void result::done(std::chrono::microseconds took) {
  latencies.add(took);
  of_now_.add(took);
  ++now_.done;
}

void result::failed(const std::string& cause) {
  ++errors[cause];
  ++now_.errors;
}

void result::tell(std::string name, double value, std::string unit) {
  figures.push_back({std::move(name), value, std::move(unit)});
}

std::uint64_t result::error_count() const {
  std::uint64_t out = 0;
  for (const auto& [cause, times] : errors)
    out += times;
  return out;
}

const figure* result::find(std::string_view name) const {
  const auto found = std::find_if(figures.begin(), figures.end(),
                                  [&](const figure& one) { return one.name == name; });
  return found == figures.end() ? nullptr : &*found;
}

void result::next_second(double server_cpu_percent, std::uint64_t server_memory_bytes) {
  const auto us = [this](double share) {
    return static_cast<std::uint32_t>(of_now_.quantile(share).count());
  };
  now_.p50_us = us(0.5);
  now_.p99_us = us(0.99);
  now_.max_us = us(1);
  now_.server_cpu_percent = server_cpu_percent;
  now_.server_memory_bytes = server_memory_bytes;
  timeline.push_back(std::exchange(now_, {}));
  of_now_ = {};
}

} // namespace muster::load
