#pragma once
// The io threads. A connection lives and dies on one of them.

#include <asio/io_context.hpp>
#include <asio/post.hpp>

#include <atomic>
#include <cstddef>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace muster::net {

class link_sweep;

/// What belongs to one io thread: its loop and the buffers all its links share. Links use the
/// buffers only inside a handler, never across one. Whoever may outlive the pool (a link in the
/// hands of an actor) holds the lane by shared_from_this().
struct io_lane : std::enable_shared_from_this<io_lane> {
  io_lane();
  ~io_lane();

  asio::io_context io{1};
  std::string read_ahead;                ///< limits::read_ahead_bytes, always that long
  std::string plain;                     ///< decrypted bytes of the present read
  std::string cipher;                    ///< what the present handler will write
  std::shared_ptr<link_sweep> deadlines; ///< who lives here, and their deadlines; one timer
  std::atomic<bool> joined{false};       ///< nothing runs here any more
};

/// Runs `work` on the lane's thread; drops it when the lane's pool has been joined. Any thread.
template <class Work>
void run_on(io_lane& lane, Work&& work) {
  if (!lane.joined.load(std::memory_order_acquire))
    asio::post(lane.io, std::forward<Work>(work));
}

/// `threads` single-threaded loops, at least one.
class io_pool {
public:
  explicit io_pool(std::size_t threads);
  ~io_pool(); ///< joins
  io_pool(const io_pool&) = delete;
  io_pool& operator=(const io_pool&) = delete;

  /// Round robin. Thread-safe.
  [[nodiscard]] io_lane& next_lane() noexcept;
  [[nodiscard]] io_lane& lane(std::size_t i) noexcept { return *lanes_[i]; }
  [[nodiscard]] std::size_t size() const noexcept { return lanes_.size(); }

  /// Lets the loops finish what was posted before, stops them and waits for the threads. Links
  /// that are still alive then end (their sinks are told on the calling thread) and do nothing
  /// from then on; they may outlive the pool. Idempotent. Never from an io thread.
  void join();

private:
  struct guarded;
  std::vector<std::shared_ptr<io_lane>> lanes_;
  std::unique_ptr<guarded> guard_;
  std::vector<std::thread> threads_;
  std::atomic<std::size_t> next_{0};
};

} // namespace muster::net
