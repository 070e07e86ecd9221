#include "actors/rules/backoff.hpp"

#include <algorithm>

namespace muster::rules {

namespace {

using milliseconds = std::chrono::milliseconds;

milliseconds between(milliseconds low, milliseconds high, std::mt19937_64& random) {
  return milliseconds{
    std::uniform_int_distribution<milliseconds::rep>{low.count(), high.count()}(random)};
}

} // namespace

milliseconds backoff::next(std::mt19937_64& random) {
  const auto upper = std::clamp(last_ * 3, limits_.shortest, limits_.longest);
  last_ = between(limits_.shortest, upper, random);
  return last_;
}

milliseconds jittered(milliseconds period, unsigned percent, std::mt19937_64& random) {
  const auto spread = period * std::min(percent, 100U) / 100;
  return std::max(between(period - spread, period + spread, random),
                  milliseconds{std::chrono::seconds{1}});
}

} // namespace muster::rules
