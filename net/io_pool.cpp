#include "net/io_pool.hpp"

#include "net/lane_resident.hpp"
#include "net/limits.hpp"

#include <asio/executor_work_guard.hpp>

#include <algorithm>

namespace muster::net {

io_lane::io_lane() : read_ahead(limits::read_ahead_bytes, '\0') {
  deadlines = std::make_shared<link_sweep>(*this);
}

io_lane::~io_lane() = default;

struct io_pool::guarded {
  std::vector<asio::executor_work_guard<asio::io_context::executor_type>> work;
};

io_pool::io_pool(std::size_t threads) : guard_(std::make_unique<guarded>()) {
  for (std::size_t i = 0; i < std::max<std::size_t>(threads, 1); ++i) {
    lanes_.push_back(std::make_shared<io_lane>());
    guard_->work.emplace_back(lanes_.back()->io.get_executor());
  }
  for (auto& lane : lanes_)
    threads_.emplace_back([&io = lane->io] { io.run(); });
}

io_pool::~io_pool() {
  join();
}

io_lane& io_pool::next_lane() noexcept {
  return *lanes_[next_.fetch_add(1, std::memory_order_relaxed) % lanes_.size()];
}

void io_pool::join() {
  if (threads_.empty())
    return;
  // Behind whatever was posted before: a farewell that an actor has just queued still goes out.
  for (auto& lane : lanes_)
    asio::post(lane->io, [&io = lane->io] { io.stop(); });
  for (auto& thread : threads_)
    thread.join();
  threads_.clear();
  guard_->work.clear();
  for (auto& lane : lanes_) {
    lane->joined.store(true, std::memory_order_release);
    lane->deadlines->abandon();
  }
  // The operations just cancelled hold their links, and these the lane: run them out.
  for (auto& lane : lanes_) {
    lane->io.restart();
    lane->io.poll();
  }
}

} // namespace muster::net
