#pragma once
// Bridges a UDP socket into the world of actors: what passes the filter becomes messages to a sink,
// its answers become datagrams, and the death of the socket becomes the death of an actor.

#include "actors/protocol.hpp"
#include "net/udp_port.hpp"

#include <caf/stateful_actor.hpp>
#include <caf/typed_event_based_actor.hpp>

#include <functional>
#include <memory>
#include <string>

namespace muster::net {

struct udp_port_options {
  std::string name; ///< of its figures: "notices" is muster_notices_datagrams_received_total
  udp_options socket;
  /// Runs on an io thread, before any actor hears of a datagram; where forgeries end.
  udp_port::filter worth;
  /// On whose threads the socket lives. Must outlive the actor system's last actor that uses it.
  io_pool* pool = nullptr;
  /// Who takes what passed; an empty handle: the port only sends, and refuses all that comes.
  actors::datagram_sink_actor sink;
  /// Told once the socket is open, on the actor's thread, with the port itself. May be empty.
  std::function<void(const actors::udp_port_actor&)> on_open;
};

/// Owns one net::udp_port. Opens it in make_behavior(); when that fails, or when the socket breaks
/// later, the actor quits with the error. A sink that dies costs only what it had in its hands.
class udp_port_state {
public:
  static inline const char* name = "udp_port";

  explicit udp_port_state(actors::udp_port_actor::pointer self) : self_(self) {}

  actors::udp_port_actor::behavior_type make_behavior(udp_port_options options);

private:
  void open();
  void hand_over(const datagram_batch_ptr& batch);
  [[nodiscard]] actors::metrics_text metrics() const;
  [[nodiscard]] std::string status() const;

  actors::udp_port_actor::pointer self_;
  udp_port_options options_;
  std::shared_ptr<udp_port> port_; ///< null only while the actor is about to end
};

actors::udp_port_actor::behavior_type
udp_port_bridge(actors::udp_port_actor::stateful_pointer<udp_port_state> self,
                udp_port_options options);

} // namespace muster::net
