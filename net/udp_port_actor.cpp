#include "net/udp_port_actor.hpp"

#include <muster/assert.hpp>

#include <caf/send.hpp>

#include <string_view>
#include <type_traits>
#include <utility>

namespace muster::net {

static_assert(!std::is_aggregate_v<udp_port_state>);

namespace {

using actors::udp_port_actor;

void add_figure(std::string& out, std::string_view port, std::string_view figure,
                std::uint64_t value) {
  const auto name = "muster_" + std::string(port) + "_datagrams_" + std::string(figure) + "_total";
  out += "# TYPE " + name + " counter\n" + name + " " + std::to_string(value) + "\n";
}

} // namespace

udp_port_actor::behavior_type udp_port_state::make_behavior(udp_port_options options) {
  MUSTER_ASSERT(options.pool != nullptr, "a port needs io threads");
  options_ = std::move(options);
  open();
  return {
    [this](atom::send, const datagram_batch_ptr& batch) {
      if (port_)
        port_->send(batch);
    },
    [this](atom::datagrams, const datagram_batch_ptr& batch) { hand_over(batch); },
    [this](atom::failed, std::error_code why) { self_->quit(actors::make_error(why)); },
    [this](atom::bound) -> std::uint16_t { return port_ ? port_->port() : 0; },
    [this](atom::metrics) { return metrics(); },
    [this](atom::status) { return status(); },
  };
}

/// The port's callbacks hold this actor until the state's end closes the port.
void udp_port_state::open() {
  const udp_port_actor me(self_);
  std::error_code ec;
  auto worth = options_.sink && options_.worth
                 ? options_.worth
                 : [](std::string_view, const udp_endpoint&) { return false; };
  port_ = udp_port::open(
    *options_.pool, options_.socket, std::move(worth),
    [me](datagram_batch_ptr batch) { caf::anon_send(me, atom::datagrams_v, std::move(batch)); },
    [me](std::error_code why) { caf::anon_send(me, atom::failed_v, why); }, ec);
  if (ec)
    self_->quit(actors::make_error(ec));
  else if (options_.on_open)
    options_.on_open(me);
}

void udp_port_state::hand_over(const datagram_batch_ptr& batch) {
  const auto done = batch->size();
  self_->request(options_.sink, caf::infinite, atom::datagrams_v, batch)
    .then(
      [this, done](const datagram_batch_ptr& answers) {
        port_->grant(done);
        port_->send(answers);
      },
      [this, done](const caf::error&) { port_->grant(done); });
}

actors::metrics_text udp_port_state::metrics() const {
  const auto now = port_ ? port_->counters() : udp_counters{};
  std::string out;
  add_figure(out, options_.name, "received", now.received);
  add_figure(out, options_.name, "refused", now.refused);
  add_figure(out, options_.name, "dropped_busy", now.dropped_busy);
  add_figure(out, options_.name, "dropped_kernel", now.dropped_kernel);
  add_figure(out, options_.name, "sent", now.sent);
  add_figure(out, options_.name, "send_failed", now.send_failed);
  add_figure(out, options_.name, "send_dropped", now.send_dropped);
  return std::make_shared<const std::string>(std::move(out));
}

std::string udp_port_state::status() const {
  const auto now = port_ ? port_->counters() : udp_counters{};
  return options_.name + " UDP port " + options_.socket.address + " " +
         std::to_string(port_ ? port_->port() : 0) + ": " + std::to_string(now.received) +
         " received, " + std::to_string(now.refused) + " refused, " +
         std::to_string(now.dropped_busy + now.dropped_kernel) + " dropped, " +
         std::to_string(now.sent) + " sent";
}

udp_port_actor::behavior_type
udp_port_bridge(udp_port_actor::stateful_pointer<udp_port_state> self, udp_port_options options) {
  return self->state.make_behavior(std::move(options));
}

} // namespace muster::net
