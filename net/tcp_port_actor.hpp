#pragma once
// Bridges a listening TCP socket into the world of actors: finished connections become messages to
// an acceptor, and the death of the socket becomes the death of an actor, which somebody restarts.

#include "actors/protocol.hpp"
#include "net/tcp_listener.hpp"

#include <caf/stateful_actor.hpp>
#include <caf/typed_event_based_actor.hpp>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <system_error>

namespace muster::net {

struct port_options {
  actors::door door = actors::door::agents_tls;
  listener_options listener;
  /// On whose threads connections live. Must outlive the actor system's last actor that uses it.
  io_pool* pool = nullptr;
  actors::acceptor_actor acceptor;
  /// Told once the socket listens, on the actor's thread: whoever renews its certificate calls
  /// tcp_listener::use. May be empty.
  std::function<void(const std::shared_ptr<tcp_listener>&)> on_listening;
};

/// Owns one tcp_listener. Begins to listen in its constructor's place, make_behavior(); when that
/// fails, or when the socket breaks later, the actor quits with the error. When it ends, however
/// it ends, the port is free again and no connection is handed over any more; finished connections
/// are not touched.
class tcp_port_state {
public:
  static inline const char* name = "tcp_port";

  explicit tcp_port_state(actors::port_actor::pointer self) : self_(self) {}

  actors::port_actor::behavior_type make_behavior(port_options options);

private:
  void listen();
  [[nodiscard]] actors::metrics_text metrics() const;
  [[nodiscard]] std::string status() const;

  actors::port_actor::pointer self_;
  port_options options_;
  std::shared_ptr<tcp_listener> listener_; ///< null only while the actor is about to end
};

/// The agents' port, or any other that speaks frames.
actors::port_actor::behavior_type
tcp_port(actors::port_actor::stateful_pointer<tcp_port_state> self, port_options options);

} // namespace muster::net
