#include "apps/console/profile.hpp"

#include "net/certificate.hpp"
#include "net/private_file.hpp"
#include "net/tcp_connector.hpp"

#include <nlohmann/json.hpp>

#include <cstdlib>
#include <limits>

namespace muster::console {

namespace {

constexpr const char* file_name = "login.json";
constexpr std::size_t pin_digits = 64;

std::string lower(std::string_view text) {
  std::string out{text};
  for (char& c : out)
    if (c >= 'A' && c <= 'Z')
      c = static_cast<char>(c - 'A' + 'a');
  return out;
}

} // namespace

std::string profile::host_and_port() const {
  const bool v6 = host.find(':') != std::string::npos;
  return (v6 ? "[" + host + "]" : host) + ":" + std::to_string(port);
}

std::string profile::url() const {
  return "https://" + host_and_port();
}

std::optional<profile> parse_url(std::string_view url, std::string& problem) {
  auto rest = url;
  if (lower(rest.substr(0, 7)) == "http://") {
    problem = "'" + std::string(url) + "': the admin port speaks HTTPS only";
    return std::nullopt;
  }
  if (lower(rest.substr(0, 8)) == "https://")
    rest.remove_prefix(8);
  if (rest.ends_with('/'))
    rest.remove_suffix(1);
  const auto endpoint = net::parse_endpoint(rest, admin_port);
  if (!endpoint) {
    problem = "'" + std::string(url) + "' is not https://HOST or https://HOST:PORT";
    return std::nullopt;
  }
  profile p;
  p.host = endpoint->host;
  p.port = endpoint->port;
  return p;
}

std::optional<std::string> parse_pin(std::string_view text) {
  auto pin = lower(text);
  if (pin.starts_with("sha256:"))
    pin.erase(0, 7);
  std::erase(pin, ':');
  if (pin.size() != pin_digits || !net::from_hex(pin))
    return std::nullopt;
  return pin;
}

std::string pin_for_people(std::string_view pin) {
  std::string out;
  for (std::size_t index = 0; index < pin.size(); ++index) {
    if (index > 0 && index % 2 == 0)
      out += ':';
    const char c = pin[index];
    out += c >= 'a' && c <= 'f' ? static_cast<char>(c - 'a' + 'A') : c;
  }
  return out;
}

std::filesystem::path profile_directory() {
  if (const char* own = std::getenv("MUSTER_CONFIG"); own != nullptr && *own != '\0')
    return own;
  if (const char* xdg = std::getenv("XDG_CONFIG_HOME"); xdg != nullptr && *xdg != '\0')
    return std::filesystem::path(xdg) / "muster";
  if (const char* home = std::getenv("HOME"); home != nullptr && *home != '\0')
    return std::filesystem::path(home) / ".config" / "muster";
  return {};
}

std::string to_json(const profile& p) {
  const nlohmann::ordered_json json{
    {"host", p.host},          {"port", p.port}, {"pin", p.pin},     {"trustPem", p.trust_pem},
    {"serverId", p.server_id}, {"user", p.user}, {"token", p.token}, {"expiresUs", p.expires_us}};
  return json.dump(2) + "\n";
}

std::optional<profile> profile_from_json(std::string_view text) {
  const auto json = nlohmann::json::parse(text, nullptr, false);
  if (!json.is_object())
    return std::nullopt;
  const auto word = [&](const char* name) {
    const auto at = json.find(name);
    return at != json.end() && at->is_string() ? at->get<std::string>() : std::string{};
  };
  const auto number = [&](const char* name) {
    const auto at = json.find(name);
    return at != json.end() && at->is_number_integer() ? at->get<std::int64_t>() : 0;
  };
  profile p;
  p.host = word("host");
  const auto port = number("port");
  if (p.host.empty() || port < 1 || port > std::numeric_limits<std::uint16_t>::max())
    return std::nullopt;
  p.port = static_cast<std::uint16_t>(port);
  p.pin = word("pin");
  p.trust_pem = word("trustPem");
  p.server_id = word("serverId");
  p.user = word("user");
  p.token = word("token");
  p.expires_us = number("expiresUs");
  if (!p.pin.empty() && !parse_pin(p.pin))
    return std::nullopt;
  return p;
}

std::optional<profile> load_profile(const std::filesystem::path& directory, std::string& problem) {
  const auto file = directory / file_name;
  const auto text = net::read_private_file(file, problem);
  if (!text)
    return std::nullopt;
  auto p = profile_from_json(*text);
  if (!p)
    problem = file.string() + ": is no log-in of ours; remove it and log in again";
  return p;
}

bool save_profile(const std::filesystem::path& directory, const profile& p, std::string& problem) {
  return net::prepare_private_directory(directory, problem) &&
         net::write_private_file(directory / file_name, to_json(p), problem);
}

} // namespace muster::console
