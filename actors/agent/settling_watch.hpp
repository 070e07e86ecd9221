#pragma once
// What watches of the kernel's news have in common: a descriptor that becomes readable in bursts,
// and one word about each burst.

#include "net/io_pool.hpp"

#include <asio/posix/stream_descriptor.hpp>
#include <asio/steady_timer.hpp>

#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <system_error>

namespace muster::actors {

/// Everything here happens on the lane, but hush().
class settling_watch : public std::enable_shared_from_this<settling_watch> {
public:
  virtual ~settling_watch() = default;
  settling_watch(const settling_watch&) = delete;
  settling_watch& operator=(const settling_watch&) = delete;

  virtual void begin() = 0;
  void end();
  /// From any thread: say nothing any more.
  void hush() { ended_ = true; }

protected:
  /// `changed` is told when nothing has moved for `quiet`, at the latest after `latest`.
  settling_watch(net::io_lane& lane, std::chrono::milliseconds quiet,
                 std::chrono::milliseconds latest, std::function<void()> changed);

  /// The descriptor is ours from now on.
  void take(int descriptor) { news_.assign(descriptor); }
  [[nodiscard]] int descriptor() { return news_.native_handle(); }
  [[nodiscard]] bool has_ended() const { return ended_; }
  /// Something has changed.
  void touch();
  void wait();
  /// Reads what there is. True: something has changed. May end the watch.
  virtual bool read_news() = 0;

private:
  /// Handlers hold no strong pointer: what waits in a joined lane must not keep itself alive.
  template <class Member>
  auto mine(Member member) {
    return [weak = weak_from_this(), member](std::error_code ec) {
      if (const auto self = weak.lock(); self && !ec && !self->ended_)
        ((*self).*member)();
    };
  }
  void on_readable();
  void say();

  std::chrono::milliseconds quiet_for_;
  std::chrono::milliseconds latest_after_;
  std::function<void()> changed_;
  asio::posix::stream_descriptor news_;
  asio::steady_timer quiet_;
  asio::steady_timer latest_;
  bool due_ = false; ///< something has changed that nobody was told of
  std::atomic<bool> ended_{false};
};

/// Begins on its lane, at once.
void begin_watch(net::io_lane& lane, const std::shared_ptr<settling_watch>& watch);
/// Nothing is told after this, save by a callback that is running right now. Any thread. The
/// descriptor is closed where it is used; in a joined lane nobody uses it.
void end_watch(net::io_lane& lane, std::shared_ptr<settling_watch> watch);

} // namespace muster::actors
