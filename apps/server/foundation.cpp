#include "apps/server/foundation.hpp"

#include "apps/common/clock.hpp"
#include "apps/common/descriptors.hpp"
#include "apps/server/first_start.hpp"
#include "apps/server/owner_role.hpp"
#include "apps/server/port_probe.hpp"
#include "storage/rocks_store.hpp"

#include <filesystem>
#include <fstream>
#include <iterator>
#include <utility>

namespace muster::server {

namespace {

namespace fs = std::filesystem;

constexpr std::size_t pem_bytes_max = 256 * 1024;

std::optional<std::string> read_pem(const fs::path& file, const char* setting,
                                    std::string& problem) {
  std::ifstream in(file, std::ios::binary);
  std::string text{std::istreambuf_iterator<char>{in}, {}};
  if (!in || text.empty() || text.size() > pem_bytes_max) {
    problem = file.string() + ": cannot be read; mend the setting '" + setting + "'";
    return std::nullopt;
  }
  return text;
}

bool ports_are_free(const server_settings& settings, std::string& problem) {
  port_probe probe;
  for (const auto& port : ports_wanted(settings)) {
    const auto ec = probe.take(port);
    if (!ec)
      continue;
    problem = std::string{port.datagrams ? "cannot receive datagrams on " : "cannot listen on "}
              + port.address + " port " + std::to_string(port.port) + ": " + ec.message()
              + "; stop who does, or set " + port.setting + ".port or " + port.setting + ".address";
    return false;
  }
  return true;
}

/// Files of root's in the directory of another user would shut that user out of it.
bool is_ours(const fs::path& directory, std::string& problem) {
  const owner_role owner{directory};
  if (!owner.is_another())
    return true;
  problem = directory.string() + ": belongs to user " + owner.name()
            + ", and this is root; start it by its unit, or as that user: runuser -u " + owner.name()
            + " -- muster-server";
  return false;
}

bool prepare_directory(const fs::path& directory, std::string& problem) {
  std::error_code ec;
  // The mode of a directory that was there is its owner's business.
  if (fs::create_directories(directory, ec) && !ec)
    fs::permissions(directory, fs::perms::owner_all, ec);
  if (ec)
    problem = directory.string() + ": cannot be used: " + ec.message()
              + "; set 'data' or mend its rights";
  return !ec;
}

bool has_descriptors(const server_settings& settings, std::string& problem) {
  static_cast<void>(raise_descriptor_limit());
  return descriptors_for(descriptors_wanted(settings), problem);
}

} // namespace

std::uint64_t descriptors_wanted(const server_settings& settings) {
  const std::uint64_t ports = settings.plain_enabled ? 2 : 1;
  return descriptors_beside + ports * settings.agents_connections_max;
}

net::server_tls_context_ptr agents_context(const net::server_identity& identity,
                                           std::string& problem) {
  net::server_tls_options options;
  options.key = identity.server_key;
  options.leaf = identity.server_certificate;
  options.authority = identity.authority.self();
  options.tickets = identity.tickets;
  std::error_code ec;
  auto made = net::server_tls_context::make(options, ec);
  if (!made)
    problem = "the identity cannot be used for TLS: " + ec.message();
  return made;
}

net::server_plain_context_ptr plain_context(const net::server_identity& identity,
                                            std::string& problem) {
  std::error_code ec;
  auto made = net::server_plain_context::make(identity.server_key, identity.server_certificate,
                                              identity.authority.self(), ec);
  if (!made)
    problem = "the identity cannot be used for the plain port: " + ec.message();
  return made;
}

net::server_tls_context_ptr admin_context(const server_settings& settings,
                                          const net::server_identity& identity,
                                          std::string& problem) {
  net::server_tls_options options;
  options.key = identity.server_key;
  options.leaf = identity.server_certificate;
  options.authority = identity.authority.self();
  options.ask_for_client_certificate = false;
  options.alpn = net::alpn_http;
  if (!settings.admin_certificate.empty()) {
    auto chain = read_pem(settings.admin_certificate, "admin.certificate", problem);
    if (!chain)
      return nullptr;
    auto key = settings.admin_key.empty() ? chain
                                          : read_pem(settings.admin_key, "admin.key", problem);
    if (!key)
      return nullptr;
    options.chain_pem = std::move(*chain);
    options.key_pem = std::move(*key);
  }
  std::error_code ec;
  auto made = net::server_tls_context::make(options, ec);
  if (!made)
    problem = settings.admin_certificate.empty()
                ? "the identity cannot be used for TLS: " + ec.message()
                : settings.admin_certificate.string() + ": " + ec.message()
                    + "; mend the settings 'admin.certificate' and 'admin.key'";
  return made;
}

std::optional<foundation> lay_foundation(const server_settings& settings, std::string& problem) {
  if (!has_descriptors(settings, problem)
      || !ports_are_free(settings, problem)
      || !prepare_directory(settings.data_directory, problem)
      || !is_ours(settings.data_directory, problem))
    return std::nullopt;
  // The store first: it is locked by a server that runs already, whose identity must be left alone.
  std::error_code ec;
  auto db = storage::open_rocks_store({.directory = settings.data_directory / "store"}, ec, problem);
  if (!db)
    return std::nullopt;
  auto identity =
    net::load_or_make_server_identity(settings.identity(), now_us() / 1'000'000, problem);
  if (!identity || !prepare_first_start(*db, settings.data_directory, now_us(), problem))
    return std::nullopt;
  auto agents_tls = agents_context(*identity, problem);
  auto admin_tls = agents_tls ? admin_context(settings, *identity, problem) : nullptr;
  if (!admin_tls)
    return std::nullopt;
  auto plain = settings.plain_enabled ? plain_context(*identity, problem) : nullptr;
  if (settings.plain_enabled && !plain)
    return std::nullopt;
  return foundation{std::move(*identity), std::move(db), std::move(agents_tls),
                    std::move(admin_tls), std::move(plain)};
}

} // namespace muster::server
