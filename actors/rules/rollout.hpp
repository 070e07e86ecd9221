#pragma once
// A task that reaches the fleet in waves: which wave a device is in, and whether the next one may
// begin.

#include "actors/rules/ids.hpp"

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace muster::rules {

struct rollout_plan {
  static constexpr std::size_t waves_max = 20;

  /// Up to which share of the devices each wave reaches; growing, the last is 100. One wave: no
  /// stages.
  std::vector<std::uint8_t> waves{100};
  /// The next wave begins when so many percent of this one's devices have an outcome: some are
  /// always off.
  std::uint8_t enough_percent = 80;
  /// The roll-out stops as soon as more than so many percent of a wave's devices have failed.
  std::uint8_t failed_percent_max = 10;

  friend bool operator==(const rollout_plan&, const rollout_plan&) = default;
};

/// Empty, or a clause.
[[nodiscard]] std::string problem_with(const rollout_plan& plan);

/// The wave of a device, counted from 0. `seed` names the roll-out (task and revision), so that it
/// is not always the same devices that go first. Depends on nothing else: a device that joins
/// later, or is counted again after a restart, is where it was, and no list of members is kept.
[[nodiscard]] std::size_t wave_of(const rollout_plan& plan, const device_id& device,
                                  std::string_view seed) noexcept;

/// How a wave stands. Devices without any of the three have no outcome yet.
struct wave_count {
  std::uint64_t devices = 0;
  std::uint64_t succeeded = 0;
  std::uint64_t failed = 0; ///< also timed out and interrupted
  std::uint64_t passed = 0; ///< cancelled or missed: neither good nor bad
};

enum class rollout_verdict : std::uint8_t { wait, next_wave, stop, done };

struct rollout_decision {
  rollout_verdict verdict = rollout_verdict::wait;
  std::string why; ///< for `stop`: "3 of 20 devices of wave 1 failed, more than 10 percent"
};

/// About the waves that have begun, the last of which is the present one. A failure in an earlier
/// wave that comes late stops as well.
[[nodiscard]] rollout_decision decide(const rollout_plan& plan, std::span<const wave_count> begun);

} // namespace muster::rules
