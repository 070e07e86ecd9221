#include "net/agent_identity.hpp"

#include "net/private_file.hpp"

#include <algorithm>
#include <utility>

namespace muster::net {

namespace {

namespace fs = std::filesystem;

constexpr const char* key_file = "device-key.pem";
/// Written last: where it is, the device has enrolled. It names everything that is public.
constexpr const char* certificate_file = "certificate.pem";
constexpr const char* bundle_file = "authorities.pem";
constexpr const char* server_file = "server";

constexpr std::size_t authorities_max = 8;
constexpr std::string_view pem_end = "-----END CERTIFICATE-----\n";

std::string remedy(const fs::path& file, std::string_view what) {
  return file.string() + ": " + std::string{what}
         + "; remove the directory and enrol this machine again";
}

/// Every certificate of a PEM file; empty when one of them is none of ours.
std::vector<certificate> certificates_of(std::string_view pem) {
  std::vector<certificate> out;
  while (!pem.empty() && out.size() < authorities_max) {
    const auto end = pem.find(pem_end);
    if (end == std::string_view::npos)
      return {};
    std::error_code ec;
    auto one = certificate::from_pem(pem.substr(0, end + pem_end.size()), ec);
    if (ec || !one)
      return {};
    out.push_back(std::move(*one));
    pem.remove_prefix(end + pem_end.size());
  }
  return pem.empty() ? out : std::vector<certificate>{};
}

template <std::size_t Size>
bool from_line(std::string_view& text, std::array<std::uint8_t, Size>& out) {
  const auto end = text.find('\n');
  const auto raw = from_hex(text.substr(0, end));
  if (end == std::string_view::npos || !raw || raw->size() != Size)
    return false;
  std::copy(raw->begin(), raw->end(), out.begin());
  text.remove_prefix(end + 1);
  return true;
}

/// Server id, wake key, address: a line each.
bool read_server_lines(std::string_view text, agent_identity& out) {
  if (!from_line(text, out.server_id) || !from_line(text, out.wake_public_key))
    return false;
  const auto end = text.find('\n');
  if (end == std::string_view::npos || end == 0 || end + 1 != text.size())
    return false;
  out.server = text.substr(0, end);
  return true;
}

std::optional<std::string> needed(const fs::path& file, std::string& problem) {
  auto content = read_private_file(file, problem);
  if (!content && problem.empty())
    problem = remedy(file, "is missing");
  return content;
}

} // namespace

std::optional<key_pair> load_or_make_agent_key(const fs::path& directory, std::string& problem) {
  problem.clear();
  if (!prepare_private_directory(directory, problem))
    return std::nullopt;
  const auto file = directory / key_file;
  const auto pem = read_private_file(file, problem);
  if (pem) {
    std::error_code ec;
    auto key = key_pair::from_pem(*pem, ec);
    if (ec || !key)
      problem = remedy(file, "is damaged");
    return ec ? std::nullopt : key;
  }
  if (!problem.empty())
    return std::nullopt;
  auto key = key_pair::generate();
  if (!write_private_file(file, key.private_pem(), problem))
    return std::nullopt;
  return key;
}

bool save_agent_identity(const fs::path& directory, const agent_identity& identity,
                         std::string& problem) {
  problem.clear();
  std::string bundle;
  for (const auto& one : identity.bundle)
    bundle += one.pem();
  const auto server = to_hex(identity.server_id) + "\n" + to_hex(identity.wake_public_key) + "\n"
                      + identity.server + "\n";
  return prepare_private_directory(directory, problem)
         && write_private_file(directory / bundle_file, bundle, problem)
         && write_private_file(directory / server_file, server, problem)
         && write_private_file(directory / certificate_file, identity.leaf.pem(), problem);
}

std::optional<agent_identity> load_agent_identity(const fs::path& directory,
                                                  std::string& problem) {
  problem.clear();
  const auto leaf_pem = read_private_file(directory / certificate_file, problem);
  if (!leaf_pem)
    return std::nullopt;
  const auto bundle_pem = needed(directory / bundle_file, problem);
  const auto server = bundle_pem ? needed(directory / server_file, problem) : std::nullopt;
  const auto key_pem = server ? needed(directory / key_file, problem) : std::nullopt;
  if (!key_pem)
    return std::nullopt;
  std::error_code ec;
  auto key = key_pair::from_pem(*key_pem, ec);
  if (ec || !key) {
    problem = remedy(directory / key_file, "is damaged");
    return std::nullopt;
  }
  auto leaf = certificate::from_pem(*leaf_pem, ec);
  if (ec || !leaf || leaf->holder_role() != role::device
      || leaf->spki_sha256() != key->spki_sha256()) {
    problem = remedy(directory / certificate_file, "is not this device's certificate");
    return std::nullopt;
  }
  agent_identity out{.key = std::move(*key), .leaf = std::move(*leaf), .bundle = {}, .server = {}};
  out.device_id = out.leaf.holder_id();
  out.bundle = certificates_of(*bundle_pem);
  const bool issued = std::any_of(out.bundle.begin(), out.bundle.end(), [&](const auto& authority) {
    return out.leaf.issued_by(authority);
  });
  if (!issued) {
    problem = remedy(directory / bundle_file, "has no authority that issued the certificate");
    return std::nullopt;
  }
  if (!read_server_lines(*server, out)) {
    problem = remedy(directory / server_file, "is damaged");
    return std::nullopt;
  }
  return out;
}

} // namespace muster::net
