#include "actors/rules/rollout.hpp"

#include <muster/assert.hpp>

#include <algorithm>

namespace muster::rules {

std::string problem_with(const rollout_plan& plan) {
  if (plan.waves.empty() || plan.waves.size() > rollout_plan::waves_max)
    return "a roll-out has 1 to " + std::to_string(rollout_plan::waves_max) + " waves";
  if (plan.waves.front() == 0 || plan.waves.back() != 100)
    return "the first wave reaches more than 0 percent, and the last one 100";
  if (std::adjacent_find(plan.waves.begin(), plan.waves.end(), std::greater_equal{}) !=
      plan.waves.end())
    return "each wave reaches more than the one before";
  if (plan.enough_percent == 0 || plan.enough_percent > 100 || plan.failed_percent_max > 100)
    return "a share is at most 100 percent, and the share that is enough more than 0";
  return {};
}

std::size_t wave_of(const rollout_plan& plan, const device_id& device,
                    std::string_view seed) noexcept {
  std::uint64_t hash = 0xcbf29ce484222325U; // FNV-1a, then the finaliser of splitmix64
  const auto add = [&](std::uint8_t byte) { hash = (hash ^ byte) * 0x100000001b3U; };
  for (const auto c : seed)
    add(static_cast<std::uint8_t>(c));
  for (const auto byte : device.bytes)
    add(byte);
  hash = (hash ^ hash >> 30) * 0xbf58476d1ce4e5b9U;
  hash = (hash ^ hash >> 27) * 0x94d049bb133111ebU;
  const auto percent = (hash ^ hash >> 31) % 100;
  const auto wave = std::upper_bound(plan.waves.begin(), plan.waves.end(), percent);
  return static_cast<std::size_t>(wave - plan.waves.begin());
}

rollout_decision decide(const rollout_plan& plan, std::span<const wave_count> begun) {
  MUSTER_ASSERT(!begun.empty() && begun.size() <= plan.waves.size(),
                "a wave of the plan is on its way");
  for (std::size_t i = 0; i < begun.size(); ++i)
    if (begun[i].failed * 100 > begun[i].devices * plan.failed_percent_max)
      return {rollout_verdict::stop, std::to_string(begun[i].failed) + " of " +
                                       std::to_string(begun[i].devices) + " devices of wave " +
                                       std::to_string(i + 1) + " failed, more than " +
                                       std::to_string(plan.failed_percent_max) + " percent"};
  const auto& now = begun.back();
  if ((now.succeeded + now.failed + now.passed) * 100 < now.devices * plan.enough_percent)
    return {};
  return {begun.size() == plan.waves.size() ? rollout_verdict::done : rollout_verdict::next_wave,
          {}};
}

} // namespace muster::rules
