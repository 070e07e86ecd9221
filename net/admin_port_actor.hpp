#pragma once
// The admin API's port: a tcp_port whose messages are whole HTTP requests.

#include "net/tcp_port_actor.hpp"

namespace muster::net {

/// As tcp_port, at actors::door::admin. Give it a pool of its own with a single thread, so that
/// console and health checks are served however busy the agents' threads are.
actors::port_actor::behavior_type
admin_port(actors::port_actor::stateful_pointer<tcp_port_state> self, port_options options);

} // namespace muster::net
