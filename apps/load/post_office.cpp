#include "apps/load/post_office.hpp"

#include <utility>

namespace muster::load {

post_office::post_office(net::io_pool& pool, const std::string& source, on_datagram told) {
  net::udp_options options;
  if (!source.empty())
    options.address = source;
  std::error_code ec;
  port_ = net::udp_port::open(
    pool, options,
    [told = std::move(told)](std::string_view bytes, const net::udp_endpoint&) {
      told(bytes);
      return false; // nobody else is to hear of it
    },
    [](const net::datagram_batch_ptr&) {}, [](std::error_code) {}, ec);
  if (!port_)
    throw std::system_error(ec, "no UDP socket");
}

post_office::~post_office() {
  port_->close();
}

void post_office::send(const net::udp_endpoint& to, std::string bytes) {
  port_->send(std::make_shared<const net::datagram_batch>(
    net::datagram_batch{net::datagram{to, std::move(bytes)}}));
}

} // namespace muster::load
