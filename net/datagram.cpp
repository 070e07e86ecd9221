#include "net/datagram.hpp"

#include <asio/ip/address.hpp>

namespace muster::net {

std::optional<udp_endpoint> make_udp_endpoint(std::string_view address, std::uint16_t port) {
  std::error_code ec;
  const auto parsed = asio::ip::make_address(std::string(address), ec);
  if (ec)
    return std::nullopt;
  const auto v6 = parsed.is_v6() ? parsed.to_v6()
                                 : asio::ip::make_address_v6(asio::ip::v4_mapped, parsed.to_v4());
  return udp_endpoint{v6.to_bytes(), port, static_cast<std::uint32_t>(v6.scope_id())};
}

std::string text_of(const udp_endpoint& endpoint) {
  const asio::ip::address_v6 v6(endpoint.address, endpoint.scope);
  const auto host = v6.is_v4_mapped()
                      ? asio::ip::make_address_v4(asio::ip::v4_mapped, v6).to_string()
                      : "[" + v6.to_string() + "]";
  return host + ":" + std::to_string(endpoint.port);
}

} // namespace muster::net
