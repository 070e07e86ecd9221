#include "actors/server/api/host_name.hpp"

#include <algorithm>

namespace muster::actors::api {

std::string host_of(std::string_view header) {
  if (header.starts_with('[')) {
    const auto close = header.find(']');
    return std::string{close == std::string_view::npos ? std::string_view{}
                                                       : header.substr(0, close + 1)};
  }
  return std::string{header.substr(0, header.find(':'))};
}

std::string agents_address(std::string_view host, std::uint16_t port) {
  if (host.empty())
    return {};
  std::string out{host};
  const auto colons = std::count(host.begin(), host.end(), ':');
  if (host.starts_with('[')) {
    if (!host.ends_with(']'))
      return out; // with its port
  } else if (colons == 1) {
    return out;
  } else if (colons > 1) {
    out = "[" + out + "]";
  }
  return port == 0 ? out : out + ":" + std::to_string(port);
}

} // namespace muster::actors::api
