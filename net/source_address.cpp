#include "net/source_address.hpp"

#include <asio/ip/address.hpp>
#include <asio/ip/udp.hpp>

#include <sys/socket.h>
#include <unistd.h>

namespace muster::net {

std::string source_address_towards(const std::string& address) {
  std::error_code ec;
  const auto to = asio::ip::make_address(address, ec);
  if (ec)
    return {};
  // Connecting a datagram socket looks up the route and binds the source; the port does not matter.
  asio::ip::udp::endpoint there{to, 9};
  const int fd = ::socket(to.is_v6() ? AF_INET6 : AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (fd < 0)
    return {};
  std::string out;
  asio::ip::udp::endpoint here;
  auto length = static_cast<socklen_t>(here.capacity());
  if (::connect(fd, there.data(), static_cast<socklen_t>(there.size())) == 0
      && ::getsockname(fd, here.data(), &length) == 0) {
    here.resize(length);
    out = here.address().to_string();
  }
  ::close(fd);
  return out;
}

} // namespace muster::net
