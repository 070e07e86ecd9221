#pragma once
// Says when this machine's network has changed, so that the agent need not wait for its back-off.

#include "net/io_pool.hpp"

#include <chrono>
#include <functional>
#include <memory>
#include <string>

namespace muster::actors {

struct network_watch_options {
  std::chrono::milliseconds quiet{500}; ///< told when nothing has moved for so long ...
  std::chrono::milliseconds latest{std::chrono::seconds{3}}; ///< ... at the latest after this
};

/// Listens to the kernel's news of links, addresses and routes; a burst becomes one word. Whether it
/// matters is for whoever is told. Lives on one io lane: the callbacks are called there and must not
/// block. The lane's pool may be joined before or after the watch is dropped.
class network_watch {
public:
  struct callbacks {
    std::function<void()> changed;
    /// The kernel does not tell (any more); the text is a sentence. Called at most once.
    std::function<void(const std::string&)> broken;
  };

  network_watch(net::io_lane& lane, network_watch_options options, callbacks tell);
  /// Nothing is told after this, save by a callback that is running right now. Any thread.
  ~network_watch();
  network_watch(const network_watch&) = delete;
  network_watch& operator=(const network_watch&) = delete;

private:
  class watcher;
  std::shared_ptr<net::io_lane> lane_; ///< outlives the watcher's sockets
  std::shared_ptr<watcher> watcher_;
};

} // namespace muster::actors
