#include "net/tcp_port_actor.hpp"

#include <muster/assert.hpp>

#include <caf/send.hpp>

#include <string_view>
#include <type_traits>
#include <utility>

namespace muster::net {

static_assert(!std::is_aggregate_v<tcp_port_state>);

namespace {

using actors::port_actor;

const char* word_of(actors::door door) {
  switch (door) {
  case actors::door::agents_tls:
    return "agents";
  case actors::door::agents_plain:
    return "agents_plain";
  case actors::door::admin:
    return "admin";
  case actors::door::notices:
  case actors::door::wakes:
    break; // no connections
  }
  return "other";
}

void add_figure(std::string& out, std::string_view door, std::string_view figure,
                std::string_view type, std::uint64_t value) {
  const auto name = "muster_" + std::string(door) + "_" + std::string(figure);
  out += "# TYPE " + name + " " + std::string(type) + "\n";
  out += name + " " + std::to_string(value) + "\n";
}

} // namespace

port_actor::behavior_type tcp_port_state::make_behavior(port_options options) {
  MUSTER_ASSERT(options.pool != nullptr, "a port needs io threads");
  options_ = std::move(options);
  listen();
  return {
    [this](atom::opened, const accepted_ptr& connection) {
      self_->send(options_.acceptor, atom::opened_v, options_.door, connection);
    },
    [this](atom::failed, std::error_code why) { self_->quit(actors::make_error(why)); },
    [this](atom::bound) -> std::uint16_t { return listener_ ? listener_->port() : 0; },
    [this](atom::metrics) { return metrics(); },
    [this](atom::status) { return status(); },
  };
}

/// The listener's callbacks hold this actor until the state's end closes the listener.
void tcp_port_state::listen() {
  const port_actor me(self_);
  std::error_code ec;
  listener_ = tcp_listener::open(
    *options_.pool, options_.listener,
    [me](accepted_ptr connection) { caf::anon_send(me, atom::opened_v, std::move(connection)); },
    [me](std::error_code why) { caf::anon_send(me, atom::failed_v, why); }, ec);
  if (ec)
    self_->quit(actors::make_error(ec));
  else if (options_.on_listening)
    options_.on_listening(listener_);
}

actors::metrics_text tcp_port_state::metrics() const {
  const auto now = listener_ ? listener_->counters() : listener_counters{};
  const auto* door = word_of(options_.door);
  std::string out;
  add_figure(out, door, "connections_accepted_total", "counter", now.accepted);
  add_figure(out, door, "connections_refused_total", "counter", now.refused_full);
  add_figure(out, door, "connections_open", "gauge", now.open);
  add_figure(out, door, "handshakes_failed_total", "counter", now.handshakes_failed);
  add_figure(out, door, "handshakes_timed_out_total", "counter", now.handshakes_timed_out);
  add_figure(out, door, "connections_broken_total", "counter", now.broken);
  add_figure(out, door, "connections_cut_total", "counter", now.cut);
  add_figure(out, door, "handshakes_resumed_total", "counter", now.resumed);
  add_figure(out, door, "received_bytes_total", "counter", now.bytes_in);
  add_figure(out, door, "sent_bytes_total", "counter", now.bytes_out);
  return std::make_shared<const std::string>(std::move(out));
}

std::string tcp_port_state::status() const {
  const auto now = listener_ ? listener_->counters() : listener_counters{};
  return std::string(word_of(options_.door)) + " port " + options_.listener.address + " " +
         std::to_string(listener_ ? listener_->port() : 0) + ": " + std::to_string(now.open) +
         " open, " + std::to_string(now.accepted) + " accepted, " +
         std::to_string(now.handshakes_failed + now.handshakes_timed_out) + " handshakes failed, " +
         std::to_string(now.refused_full) + " refused";
}

port_actor::behavior_type tcp_port(port_actor::stateful_pointer<tcp_port_state> self,
                                   port_options options) {
  return self->state.make_behavior(std::move(options));
}

} // namespace muster::net
