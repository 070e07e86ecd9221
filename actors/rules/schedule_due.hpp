#pragma once
// What a device does about a schedule at a given moment: start, wait, or say that it missed a run.

#include "actors/rules/ids.hpp"
#include "actors/rules/schedule.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace muster::rules {

/// How a task keeps to its times.
struct schedule_options {
  static constexpr std::chrono::hours spread_max{24};

  std::chrono::seconds spread{0}; ///< each device starts up to so much later, by chance
  bool run_if_missed = false;     ///< a run whose time passed unused starts late instead of never
  std::chrono::seconds tolerance{60}; ///< so late is still in time: a device is not a clock
  friend bool operator==(const schedule_options&, const schedule_options&) = default;
};

/// How much later than `due` this device starts: less than `spread`, the same whenever and wherever
/// it is asked, different from device to device and from run to run.
[[nodiscard]] std::chrono::seconds spread_of(const device_id& device, std::string_view task,
                                             utc_seconds due, std::chrono::seconds spread) noexcept;

enum class due_verdict : std::uint8_t {
  wait,    ///< nothing is due yet; look again at `next_start`
  start,   ///< start the run of `due`
  missed,  ///< the run of `due` was missed; report it
  overlap, ///< the same, because the one before has not ended
};

struct due_decision {
  due_verdict verdict = due_verdict::wait;
  utc_seconds due{};       ///< names the run, whenever it really starts
  std::size_t skipped = 0; ///< runs before `due` that were missed, too; at most `skipped_max`
  bool late = false;       ///< starts because of run_if_missed
  std::optional<utc_seconds> next_start; ///< when to look again; empty: never
};
inline constexpr std::size_t skipped_max = 1'000;

/// `handled` is the due time that was started or given up last (or when the device got the task):
/// after any verdict but `wait` it becomes `due`. A clock that went back makes nothing run again.
/// For a schedule that is timed.
[[nodiscard]] due_decision decide(const schedule& s, const schedule_options& options,
                                  const device_id& device, std::string_view task,
                                  utc_seconds handled, utc_seconds now, bool running,
                                  const time_zone& zone);

} // namespace muster::rules
