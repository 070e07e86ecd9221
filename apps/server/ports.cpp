#include "apps/server/ports.hpp"

#include <caf/send.hpp>

#include <chrono>

namespace muster::server {

net::port_options agents_port(const server_settings& settings, const foundation& base,
                              net::io_pool& pool) {
  net::port_options options;
  options.door = actors::door::agents_tls;
  options.listener.address = settings.agents_address;
  options.listener.port = settings.agents_port;
  options.listener.tls = base.agents_tls;
  options.listener.keep_alive = std::chrono::ceil<std::chrono::seconds>(settings.keep_alive);
  options.listener.connections_max = settings.agents_connections_max;
  options.listener.accepts_per_second_max = settings.agents_accepts_per_second_max;
  options.pool = &pool;
  return options;
}

net::port_options plain_port(const server_settings& settings, const foundation& base,
                             net::io_pool& pool) {
  auto options = agents_port(settings, base, pool);
  options.door = actors::door::agents_plain;
  options.listener.address = settings.plain_address;
  options.listener.port = settings.plain_port;
  options.listener.tls = nullptr;
  options.listener.plain = base.agents_plain;
  return options;
}

net::port_options console_port(const server_settings& settings, const foundation& base,
                               net::io_pool& pool) {
  net::port_options options;
  options.door = actors::door::admin;
  options.listener.address = settings.admin_address;
  options.listener.port = settings.admin_port;
  options.listener.tls = base.admin_tls;
  options.listener.connections_max = 1000;
  options.pool = &pool;
  return options;
}

net::udp_port_options notices_port(const server_settings& settings,
                                   const actors::notice_desk_actor& desk,
                                   const actors::datagram_keys_ptr& keys, net::io_pool& pool) {
  net::udp_port_options options;
  options.name = "notices";
  options.socket.address = settings.notices_address;
  options.socket.port = settings.notices_port;
  options.worth = actors::notice_filter(keys);
  options.pool = &pool;
  options.sink = desk;
  return options;
}

net::udp_port_options wakes_port(const server_settings& settings,
                                 const actors::waker_actor& waker, net::io_pool& pool) {
  net::udp_port_options options;
  options.name = "wakes";
  options.socket.address = settings.wakes_address;
  options.pool = &pool;
  options.on_open = [waker](const actors::udp_port_actor& port) {
    caf::anon_send(waker, atom::ready_v, port);
  };
  return options;
}

} // namespace muster::server
