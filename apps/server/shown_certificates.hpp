#pragma once
// What each port shows in its handshakes, and how a renewed certificate gets there while the server
// runs.

#include "actors/messages.hpp"
#include "net/tcp_listener.hpp"
#include "net/tls_context.hpp"

#include <array>
#include <memory>
#include <mutex>

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
    if (mine.context)
      port->use(mine.context);
  }

  /// From now on new connections are handshaken with this; those that are open stay as they are.
  void show(actors::door at, net::server_tls_context_ptr context) {
    const std::lock_guard lock{mutex_};
    auto& mine = place_of(at);
    mine.context = std::move(context);
    if (const auto port = mine.port.lock())
      port->use(mine.context);
  }

private:
  struct place {
    net::server_tls_context_ptr context; ///< null: as the port was started
    std::weak_ptr<net::tcp_listener> port;
  };
  place& place_of(actors::door at) { return places_[at == actors::door::admin ? 1 : 0]; }

  std::mutex mutex_;
  std::array<place, 2> places_;
};

} // namespace muster::server
