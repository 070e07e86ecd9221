#include "net/admin_port_actor.hpp"

#include "net/splitter.hpp"

#include <utility>

namespace muster::net {

actors::port_actor::behavior_type
admin_port(actors::port_actor::stateful_pointer<tcp_port_state> self, port_options options) {
  options.door = actors::door::admin;
  options.listener.splitter = make_request_splitter;
  return self->state.make_behavior(std::move(options));
}

} // namespace muster::net
