#pragma once
// Datagrams and their endpoints as values, between sockets and actors.

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace muster::net {

/// Where a datagram comes from or goes to. An IPv4 address is kept as IPv6 keeps it (::ffff:a.b.c.d).
struct udp_endpoint {
  std::array<std::uint8_t, 16> address{};
  std::uint16_t port = 0;
  std::uint32_t scope = 0; ///< interface of a link-local address
  bool operator==(const udp_endpoint&) const = default;
};

/// Numeric IPv4 or IPv6 (with %interface where it needs one); empty when it is no address.
[[nodiscard]] std::optional<udp_endpoint> make_udp_endpoint(std::string_view address,
                                                            std::uint16_t port);
/// "192.0.2.1:15000", "[2001:db8::1]:15000".
[[nodiscard]] std::string text_of(const udp_endpoint& endpoint);

struct datagram {
  udp_endpoint peer;
  std::string bytes;
};
using datagram_batch = std::vector<datagram>;
using datagram_batch_ptr = std::shared_ptr<const datagram_batch>;

} // namespace muster::net
