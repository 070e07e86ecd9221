#include "apps/load/identities.hpp"

#include <sys/stat.h>

#include <algorithm>
#include <fstream>
#include <sstream>
#include <utility>

namespace muster::load {

namespace {

std::string hex_of(std::string_view bytes) {
  return net::to_hex({reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size()});
}

std::optional<std::pair<std::uint32_t, played_identity>> parse_line(const std::string& line) {
  std::istringstream in{line};
  std::uint32_t number = 0;
  std::string key_hex;
  std::string leaf_hex;
  std::string server_hex;
  std::string wake_hex;
  if (!(in >> number >> key_hex >> leaf_hex >> server_hex >> wake_hex))
    return std::nullopt;
  const auto pem = net::from_hex(key_hex);
  const auto der = net::from_hex(leaf_hex);
  const auto server = net::from_hex(server_hex);
  const auto wake = net::from_hex(wake_hex);
  played_identity out{.key = net::key_pair{nullptr}, .leaf = {}};
  if (!pem || !der || !server || server->size() != out.server_id.size() || !wake ||
      wake->size() != out.wake_key.size())
    return std::nullopt;
  std::error_code ec;
  auto key = net::key_pair::from_pem(*pem, ec);
  auto leaf = ec ? std::nullopt : net::certificate::from_der(*der, ec);
  if (ec || !key || !leaf)
    return std::nullopt;
  out.key = std::move(*key);
  out.leaf = std::move(*leaf);
  std::copy(server->begin(), server->end(), out.server_id.begin());
  std::copy(wake->begin(), wake->end(), out.wake_key.begin());
  return std::pair{number, std::move(out)};
}

} // namespace

bool identity_file::load(const std::filesystem::path& file, std::string& problem) {
  std::ifstream in{file};
  if (!in)
    return !std::filesystem::exists(file)
           || (problem = file.string() + ": cannot be read", false);
  std::string line;
  while (std::getline(in, line)) {
    auto one = parse_line(line);
    if (!one) {
      problem = file.string() + ": is no file of identities that muster-load has written";
      return false;
    }
    put(one->first, std::move(one->second));
  }
  return true;
}

bool identity_file::save(const std::filesystem::path& file, std::string& problem) const {
  const auto before = ::umask(0077);
  std::ofstream out{file, std::ios::trunc};
  ::umask(before);
  const std::lock_guard lock{mutex_};
  for (const auto& [number, one] : all_)
    out << number << ' ' << hex_of(one.key.private_pem()) << ' ' << hex_of(one.leaf.der()) << ' '
        << net::to_hex(one.server_id) << ' ' << net::to_hex(one.wake_key) << '\n';
  out.flush();
  if (!out)
    problem = file.string() + ": cannot be written";
  return static_cast<bool>(out);
}

std::optional<played_identity> identity_file::find(std::uint32_t number) const {
  const std::lock_guard lock{mutex_};
  const auto found = all_.find(number);
  return found == all_.end() ? std::nullopt : std::optional{found->second};
}

void identity_file::put(std::uint32_t number, played_identity identity) {
  const std::lock_guard lock{mutex_};
  all_.insert_or_assign(number, std::move(identity));
}

} // namespace muster::load
