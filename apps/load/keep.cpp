#include "apps/load/keep.hpp"

#include <condition_variable>
#include <mutex>

namespace muster::load {

namespace {

using namespace std::chrono_literals;

/// Counts what the players tell and starts the next one when a place is free.
class ramp {
public:
  ramp(net::io_pool& pool, const keep_options& options) : pool_(pool), options_(options) {}

  void start_more() {
    std::unique_lock lock{mutex_};
    while (!stopping_ && next_ < options_.agents && in_progress_ < options_.at_once) {
      const auto number = options_.first_number + next_++;
      ++in_progress_;
      lock.unlock(); // a key pair is made here, and a failure may be told at once
      std::make_shared<player>(pool_, options_.player, number,
                               [this](milestone m, const std::string& why) { told(m, why); })
        ->start();
      lock.lock();
    }
  }

  void stop() {
    const std::lock_guard lock{mutex_};
    stopping_ = true;
  }

  [[nodiscard]] keep_result snapshot() {
    const std::lock_guard lock{mutex_};
    return result_;
  }

  /// True once every player has been kept or has failed.
  bool settled_within(std::chrono::milliseconds time) {
    std::unique_lock lock{mutex_};
    return changed_.wait_for(lock, time, [this] {
      return result_.kept + result_.failed >= options_.agents || (stopping_ && in_progress_ == 0);
    });
  }

  void wait_for_news(std::chrono::milliseconds time) {
    std::unique_lock lock{mutex_};
    changed_.wait_for(lock, time);
  }

private:
  void told(milestone m, const std::string& why) {
    const std::lock_guard lock{mutex_};
    switch (m) {
      case milestone::enrolled: ++result_.enrolled; return;
      case milestone::kept: ++result_.kept; --in_progress_; break;
      case milestone::failed: ++result_.failed; --in_progress_; ++result_.causes[why]; break;
      case milestone::lost: ++result_.lost; ++result_.causes[why]; break;
    }
    changed_.notify_all();
  }

  net::io_pool& pool_;
  const keep_options& options_;
  std::mutex mutex_;
  std::condition_variable changed_;
  keep_result result_;
  std::uint32_t next_ = 0;
  std::uint32_t in_progress_ = 0;
  bool stopping_ = false;
};

} // namespace

keep_result play_keep(const keep_options& options, const std::function<bool()>& stopped,
                      const std::function<void(const keep_result&)>& progress) {
  using clock = std::chrono::steady_clock;
  net::io_pool pool{options.io_threads};
  ramp fleet{pool, options};
  const auto began = clock::now();
  auto told_at = began;
  const auto tell = [&] {
    if (clock::now() - told_at >= 1s) {
      told_at = clock::now();
      progress(fleet.snapshot());
    }
  };
  bool settled = false;
  while (!settled && !stopped()) {
    fleet.start_more();
    settled = fleet.settled_within(10ms);
    tell();
  }
  const auto ramped = clock::now();
  while (settled && !stopped() && clock::now() - ramped < options.hold) {
    fleet.wait_for_news(100ms);
    tell();
  }
  fleet.stop();
  auto result = fleet.snapshot(); // before our own leaving counts as losses
  pool.join();
  result.ramp = std::chrono::duration_cast<std::chrono::milliseconds>(ramped - began);
  return result;
}

} // namespace muster::load
