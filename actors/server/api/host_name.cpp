#include "actors/server/api/host_name.hpp"

#include <unistd.h>

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

std::string host_for_clients(std::string_view header) {
  auto host = host_of(header);
  const bool only_here = host == "localhost" || host == "[::1]" || host.starts_with("127.");
  char name[256] = {};
  if (only_here && ::gethostname(name, sizeof name - 1) == 0 && name[0] != '\0')
    return name;
  return host;
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
