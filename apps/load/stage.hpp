#pragma once
// Where a fleet is played: one io thread on which everything happens, and its timetable.

#include "net/io_pool.hpp"

#include <asio/steady_timer.hpp>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <mutex>
#include <condition_variable>
#include <queue>
#include <vector>

namespace muster::load {

using steady = std::chrono::steady_clock;

/// Players and scenarios live on the stage's thread; nothing here may be called from another one,
/// but for run(). One stage plays up to as many agents as a process may have descriptors; whoever
/// wants more starts more processes.
class stage {
public:
  stage();
  stage(const stage&) = delete;
  stage& operator=(const stage&) = delete;

  /// Calls `begin` on the stage's thread; returns when somebody has said finish(), or `stopped`
  /// answers true, which is asked ten times a second. `each_second` is called on the stage's thread.
  void run(std::function<void()> begin, const std::function<bool()>& stopped,
           std::function<void()> each_second);
  void finish();
  /// Whether that has been said, or the run was stopped: what players tell from then on is of no
  /// interest.
  [[nodiscard]] bool is_over() const noexcept { return over_; }

  /// As soon after `when` as the thread is free; those of one moment in the order they came. No
  /// promise is made to whoever waits when the stage ends.
  void at(steady::time_point when, std::function<void()> what);

  [[nodiscard]] net::io_pool& pool() noexcept { return pool_; }
  /// How late the timetable's entries were begun, at worst: when this is much, the generator and not
  /// the server is what was measured.
  [[nodiscard]] std::chrono::microseconds worst_lag() const noexcept { return worst_lag_; }

private:
  struct entry {
    steady::time_point when;
    std::uint64_t number = 0;
    std::function<void()> what;
    friend bool operator<(const entry& a, const entry& b) {
      return a.when != b.when ? a.when > b.when : a.number > b.number;
    }
  };

  void arm();
  void run_due();
  void tick(steady::time_point due);

  std::priority_queue<entry> timetable_;
  std::uint64_t entries_ = 0;
  std::chrono::microseconds worst_lag_{0};
  std::function<void()> each_second_;
  std::mutex mutex_;
  std::condition_variable ended_;
  std::atomic<bool> over_{false};
  net::io_pool pool_{1}; ///< its thread ends before the rest goes
  asio::steady_timer timer_;
};

} // namespace muster::load
