#include "apps/server/port_probe.hpp"

#include <asio/ip/v6_only.hpp>

namespace muster::server {

namespace {

void listen(asio::ip::tcp::acceptor& probe, const wanted_port& port, std::error_code& ec) {
  auto address = asio::ip::make_address(port.address, ec);
  if (ec)
    return;
  probe.open(address.is_v6() ? asio::ip::tcp::v6() : asio::ip::tcp::v4(), ec);
  if (ec && address.is_v6() && address.is_unspecified()) { // a kernel without IPv6
    address = asio::ip::address_v4::any();
    probe.open(asio::ip::tcp::v4(), ec);
  }
  if (!ec)
    probe.set_option(asio::socket_base::reuse_address{true}, ec);
  if (!ec && address.is_v6())
    probe.set_option(asio::ip::v6_only{!address.is_unspecified()}, ec);
  if (!ec)
    probe.bind({address, port.port}, ec);
  if (!ec)
    probe.listen(1, ec);
}

} // namespace

std::vector<wanted_port> ports_wanted(const server_settings& settings) {
  std::vector<wanted_port> out{{"agents", settings.agents_address, settings.agents_port}};
  if (settings.plain_enabled)
    out.push_back({"plain", settings.plain_address, settings.plain_port});
  out.push_back({"admin", settings.admin_address, settings.admin_port});
  out.push_back({"notices", settings.notices_address, settings.notices_port, true});
  out.push_back({"wakes", settings.wakes_address, 0, true});
  return out;
}

std::error_code port_probe::take(const wanted_port& port) {
  std::error_code ec;
  if (port.datagrams) {
    bool v6 = false;
    receiving_.push_back(net::bind_udp(port.address, port.port, 0, v6, ec));
  } else {
    listen(listening_.emplace_back(io_), port, ec);
  }
  return ec;
}

} // namespace muster::server
