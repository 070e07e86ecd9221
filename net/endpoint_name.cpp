#include "net/tcp_connector.hpp"

#include <asio/ip/address_v6.hpp>

#include <algorithm>
#include <charconv>

namespace muster::net {

namespace {

constexpr std::size_t host_name_bytes_max = 253;

bool host_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
         c == '.' || c == '_';
}

bool host_name(std::string_view text) {
  return !text.empty() && text.size() <= host_name_bytes_max &&
         std::all_of(text.begin(), text.end(), host_character);
}

bool numeric_v6(std::string_view text) {
  std::error_code ec;
  static_cast<void>(asio::ip::make_address_v6(std::string(text), ec));
  return !ec;
}

std::optional<std::uint16_t> port_number(std::string_view text) {
  std::uint16_t port = 0;
  const auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), port);
  if (ec != std::errc{} || end != text.data() + text.size() || port == 0)
    return std::nullopt;
  return port;
}

} // namespace

std::optional<endpoint_name> parse_endpoint(std::string_view text, std::uint16_t default_port) {
  std::string_view host = text;
  std::string_view rest;
  bool valid = false;
  if (text.starts_with('[')) {
    const auto end = text.find(']');
    if (end == std::string_view::npos)
      return std::nullopt;
    host = text.substr(1, end - 1);
    rest = text.substr(end + 1);
    valid = numeric_v6(host);
  } else {
    host = text.substr(0, text.find(':'));
    rest = text.substr(host.size());
    valid = host_name(host);
  }
  if (!valid)
    return std::nullopt;
  if (rest.empty())
    return endpoint_name{std::string(host), default_port};
  const auto port = rest.front() == ':' ? port_number(rest.substr(1)) : std::nullopt;
  if (!port)
    return std::nullopt;
  return endpoint_name{std::string(host), *port};
}

} // namespace muster::net
