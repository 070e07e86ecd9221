#include "net/datagram_key_file.hpp"

#include "net/private_file.hpp"

#include <algorithm>
#include <charconv>
#include <span>
#include <system_error>

namespace muster::net {

namespace {

namespace fs = std::filesystem;

constexpr const char* key_file = "datagram.keys";
constexpr std::string_view first_line = "muster datagram keys 1\n";
constexpr std::size_t keys_max = 2;

/// Takes `what` off the front; false, and nothing is taken, when it is not there.
bool take(std::string_view& rest, std::string_view what) {
  if (!rest.starts_with(what))
    return false;
  rest.remove_prefix(what.size());
  return true;
}

bool take_number(std::string_view& rest, std::uint32_t& out) {
  const auto [end, ec] = std::from_chars(rest.data(), rest.data() + rest.size(), out);
  if (ec != std::errc{})
    return false;
  rest.remove_prefix(static_cast<std::size_t>(end - rest.data()));
  return true;
}

bool take_bytes(std::string_view& rest, std::span<std::uint8_t> out) {
  const auto value = from_hex(rest.substr(0, 2 * out.size()));
  if (!value || value->size() != out.size())
    return false;
  std::copy(value->begin(), value->end(), out.begin());
  rest.remove_prefix(2 * out.size());
  return true;
}

} // namespace

std::string datagram_keys_text(const datagram_key_owner& owner,
                               const std::vector<device_datagram_keys>& keys) {
  std::string out{first_line};
  out += "device " + to_hex(owner.device_id) + "\nserver " + to_hex(owner.server_id) + '\n';
  for (std::size_t i = 0; i < std::min(keys.size(), keys_max); ++i)
    out += "generation " + std::to_string(keys[i].generation) + " wake " + to_hex(keys[i].wake)
           + " notice " + to_hex(keys[i].notice) + '\n';
  return out += "check " + to_hex(sha256(out)) + '\n';
}

std::optional<std::vector<device_datagram_keys>>
parse_datagram_keys(std::string_view text, const datagram_key_owner& owner) {
  auto rest = text;
  datagram_key_owner found;
  if (!take(rest, first_line) || !take(rest, "device ") || !take_bytes(rest, found.device_id)
      || !take(rest, "\nserver ") || !take_bytes(rest, found.server_id) || !take(rest, "\n")
      || found != owner)
    return std::nullopt;
  std::vector<device_datagram_keys> out;
  while (out.size() < keys_max && take(rest, "generation ")) {
    auto& one = out.emplace_back();
    if (!take_number(rest, one.generation) || !take(rest, " wake ") || !take_bytes(rest, one.wake)
        || !take(rest, " notice ") || !take_bytes(rest, one.notice) || !take(rest, "\n"))
      return std::nullopt;
  }
  // Only what we would write ourselves: the check and the end are right as well.
  if (datagram_keys_text(owner, out) != text)
    return std::nullopt;
  return out;
}

bool save_datagram_keys(const fs::path& directory, const datagram_key_owner& owner,
                        const std::vector<device_datagram_keys>& keys, std::string& problem) {
  problem.clear();
  return write_private_file(directory / key_file, datagram_keys_text(owner, keys), problem);
}

std::vector<device_datagram_keys> load_datagram_keys(const fs::path& directory,
                                                     const datagram_key_owner& owner,
                                                     std::string& problem) {
  const auto text = read_private_file(directory / key_file, problem);
  if (!text)
    return {};
  auto keys = parse_datagram_keys(*text, owner);
  if (!keys)
    problem = (directory / key_file).string()
              + ": is damaged or another device's; the server gives new keys at the next connection";
  return keys.value_or(std::vector<device_datagram_keys>{});
}

bool forget_datagram_keys(const fs::path& directory, std::string& problem) {
  std::error_code ec;
  const bool was = fs::remove(directory / key_file, ec);
  if (ec) {
    problem = (directory / key_file).string() + ": cannot be removed: " + ec.message();
    return false;
  }
  return !was || sync_directory(directory, problem);
}

} // namespace muster::net
