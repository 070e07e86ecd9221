#pragma once
// What each port shows in its handshakes, and how a renewed certificate gets there while the server
// runs.

#include "actors/messages.hpp"
#include "net/tcp_listener.hpp"

#include <array>
#include <cstddef>
#include <functional>
#include <memory>
#include <mutex>
#include <utility>

namespace muster::server {

/// Thread-safe: ports are started by the root, certificates renewed by a timer.
class shown_certificates {
public:
  /// A port that has begun to listen, the first time or again after its death. It gets what is
  /// shown now.
  void listening(actors::door at, const std::shared_ptr<net::tcp_listener>& port) {
    const std::lock_guard lock{mutex_};
    auto& mine = place_of(at);
    mine.port = port;
    if (mine.show)
      mine.show(*port);
  }

  /// From now on new connections are handshaken with this; those that are open stay as they are.
  /// `Context` is what tcp_listener::use takes.
  template <class Context>
  void show(actors::door at, Context context) {
    const std::lock_guard lock{mutex_};
    auto& mine = place_of(at);
    mine.show = [context = std::move(context)](net::tcp_listener& port) { port.use(context); };
    if (const auto port = mine.port.lock())
      mine.show(*port);
  }

private:
  struct place {
    std::function<void(net::tcp_listener&)> show; ///< empty: as the port was started
    std::weak_ptr<net::tcp_listener> port;
  };
  place& place_of(actors::door at) { return places_[static_cast<std::size_t>(at)]; }

  std::mutex mutex_;
  std::array<place, actors::doors> places_;
};

} // namespace muster::server
