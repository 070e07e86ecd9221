#include "apps/server/foundation.hpp"

#include "apps/common/clock.hpp"
#include "apps/common/descriptors.hpp"
#include "apps/server/first_start.hpp"
#include "net/udp_socket.hpp"
#include "storage/rocks_store.hpp"

#include <asio/io_context.hpp>
#include <asio/ip/tcp.hpp>
#include <asio/ip/v6_only.hpp>

#include <deque>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <utility>
#include <vector>

namespace muster::server {

namespace {

namespace fs = std::filesystem;

constexpr std::size_t pem_bytes_max = 256 * 1024;
/// RocksDB's files, logs, ports, and some to spare; connections come on top.
constexpr std::uint64_t descriptors_min = 1024;

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

/// All ports, held until all have been had: whoever is first may not be in the other's way either.
/// Asked before anything is made, because a port that is taken is the commonest mistake of all. The
/// ports themselves are opened by their actors, a moment later.
class port_probe {
public:
  bool is_free_for_datagrams(const std::string& address, std::uint16_t port, const char* setting,
                             std::string& problem) {
    std::error_code ec;
    bool v6 = false;
    datagram_probes_.push_back(net::bind_udp(address, port, 0, v6, ec));
    if (!ec)
      return true;
    problem = "cannot receive datagrams on " + address + " port " + std::to_string(port) + ": "
              + ec.message() + "; stop who does, or set " + setting + ".port or " + setting
              + ".address";
    return false;
  }

  bool is_free(const std::string& address, std::uint16_t port, const char* setting,
               std::string& problem) {
    std::error_code ec;
    auto& probe = probes_.emplace_back(io_);
    listen(probe, address, port, ec);
    if (!ec)
      return true;
    problem = "cannot listen on " + address + " port " + std::to_string(port) + ": " + ec.message()
              + "; stop who does, or set " + setting + ".port or " + setting + ".address";
    return false;
  }

private:
  using acceptor = asio::ip::tcp::acceptor;

  static void listen(acceptor& probe, const std::string& text, std::uint16_t port,
                     std::error_code& ec) {
    auto address = asio::ip::make_address(text, ec);
    if (ec)
      return;
    probe.open(address.is_v6() ? asio::ip::tcp::v6() : asio::ip::tcp::v4(), ec);
    if (ec && address.is_v6() && address.is_unspecified()) { // a kernel without IPv6
      address = asio::ip::address_v4::any();
      probe.open(asio::ip::tcp::v4(), ec);
    }
    if (!ec)
      probe.set_option(asio::socket_base::reuse_address{true}, ec);
    if (!ec && address.is_v6())
      probe.set_option(asio::ip::v6_only{!address.is_unspecified()}, ec);
    if (!ec)
      probe.bind({address, port}, ec);
    if (!ec)
      probe.listen(1, ec);
  }

  asio::io_context io_;
  std::deque<acceptor> probes_;
  std::vector<net::owned_descriptor> datagram_probes_;
};

bool ports_are_free(const server_settings& settings, std::string& problem) {
  port_probe probe;
  return probe.is_free(settings.agents_address, settings.agents_port, "agents", problem)
         && (!settings.plain_enabled
             || probe.is_free(settings.plain_address, settings.plain_port, "plain", problem))
         && probe.is_free(settings.admin_address, settings.admin_port, "admin", problem)
         && probe.is_free_for_datagrams(settings.notices_address, settings.notices_port, "notices",
                                        problem)
         && probe.is_free_for_datagrams(settings.wakes_address, 0, "wakes", problem);
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
  const std::uint64_t ports = settings.plain_enabled ? 2 : 1;
  return descriptors_for(descriptors_min + ports * settings.agents_connections_max, problem);
}

} // namespace

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
      || !prepare_directory(settings.data_directory, problem))
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
