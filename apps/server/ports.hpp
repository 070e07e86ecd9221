#pragma once
// Which sockets a server listens on, and with what: its settings as the ports want them.

#include "actors/server/notice_desk.hpp"
#include "apps/server/foundation.hpp"
#include "apps/server/settings.hpp"
#include "net/io_pool.hpp"
#include "net/tcp_port_actor.hpp"
#include "net/udp_port_actor.hpp"

namespace muster::server {

[[nodiscard]] net::port_options agents_port(const server_settings& settings,
                                            const foundation& base, net::io_pool& pool);
/// As the agents' port in everything but its protection.
[[nodiscard]] net::port_options plain_port(const server_settings& settings, const foundation& base,
                                           net::io_pool& pool);
[[nodiscard]] net::port_options console_port(const server_settings& settings,
                                             const foundation& base, net::io_pool& pool);
[[nodiscard]] net::udp_port_options notices_port(const server_settings& settings,
                                                 const actors::notice_desk_actor& desk,
                                                 const actors::datagram_keys_ptr& keys,
                                                 net::io_pool& pool);
/// Wakes leave from it; nobody has anything to say to it.
[[nodiscard]] net::udp_port_options wakes_port(const server_settings& settings,
                                               const actors::waker_actor& waker,
                                               net::io_pool& pool);

} // namespace muster::server
