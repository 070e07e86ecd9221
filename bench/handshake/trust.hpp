#pragma once
// One authority, one server, one device: what both servers of this benchmark show and trust.

#include "net/certificate.hpp"
#include "net/ticket_keys.hpp"

#include <chrono>
#include <cstdint>
#include <memory>

namespace muster::bench {

struct trust {
  std::int64_t now_s = std::chrono::duration_cast<std::chrono::seconds>(
                         std::chrono::system_clock::now().time_since_epoch())
                         .count();
  net::id_bytes server_id{1};
  net::id_bytes device_id{2};
  net::certificate_authority authority = net::certificate_authority::make(server_id, now_s);
  net::key_pair server_key = net::key_pair::generate();
  net::certificate server_leaf =
    authority.issue(server_key, net::role::server, server_id, now_s, net::server_lifetime);
  net::key_pair device_key = net::key_pair::generate();
  net::certificate device_leaf =
    authority.issue(device_key, net::role::device, device_id, now_s, net::device_lifetime);
  std::shared_ptr<net::ticket_keys> tickets = net::ticket_keys::in_memory(now_s);
};

} // namespace muster::bench
