#pragma once
// What each device may send in events: so many a second on average, and a stock after a rest.
//
// Beside the streams, not in them: a stream ends with its connection, and a device that connects
// anew must not find a fresh stock. A budget is one number, the time at which all that was taken
// will have been refilled; when that is past, the budget is whole and nothing is kept of it. So a
// device that is quiet costs nothing, and what is held is a few dozen bytes for each that is in
// debt: at most as many as may be in debt at once, which is what the disk can store in a second
// over what one may send in a second. A restart of the server forgives all.

#include "actors/rules/ids.hpp"
#include "actors/server/session_limits.hpp"

#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>

namespace muster::actors {

struct event_allowance {
  std::uint64_t per_second = session_limits::events_per_second; ///< 0: no bound
  std::uint64_t burst = session_limits::events_burst;           ///< what a rested device has in stock
};

/// What a batch takes: an event for each, or for each KB of it, whichever is more.
[[nodiscard]] constexpr std::uint64_t event_cost(std::size_t events, std::size_t bytes) noexcept {
  const auto kilobytes = (bytes + 1023) / 1024;
  return events > kilobytes ? events : kilobytes;
}

/// Thread-safe; locks of a few instructions, once for each batch. Times are the actors' clock's.
class event_budgets {
public:
  using time_point = std::chrono::steady_clock::time_point;

  explicit event_budgets(event_allowance allowance = {});

  /// When the device has something in stock (again); not later than `now`: it has.
  [[nodiscard]] time_point due(const rules::device_id& device, time_point now) const;

  /// Takes it, from the stock or as a debt, and answers when the device may send more; not later
  /// than `now`: at once. Empty, and nothing is taken, when the debt is larger already than what a
  /// connection can have in flight (event_overdraft): who waits for credit never gets there.
  [[nodiscard]] std::optional<time_point> spend(const rules::device_id& device, std::uint64_t cost,
                                                time_point now);

  /// Devices that something is kept of.
  [[nodiscard]] std::size_t devices() const;
  /// Figures for /metrics.
  [[nodiscard]] std::string metrics() const;

private:
  struct part {
    mutable std::mutex mutex;
    std::unordered_map<rules::device_id, time_point> whole_at; ///< when the stock is full again
    std::size_t look_at = 64; ///< so many entries, and those that are whole are forgotten
  };

  [[nodiscard]] std::size_t index_of(const rules::device_id& device) const;
  [[nodiscard]] std::chrono::nanoseconds time_for(std::uint64_t events) const;
  static void forget_whole(part& of, time_point now);

  const event_allowance allowance_;
  std::array<part, 16> parts_;
  std::atomic<std::uint64_t> delayed_ = 0;
  std::atomic<std::uint64_t> refused_ = 0;
};
using event_budgets_ptr = std::shared_ptr<event_budgets>;

} // namespace muster::actors
