#pragma once
// What the server stands on before its first actor: identity, store, TLS contexts, ports that are
// free. Every failure is one sentence that names the setting or file and the remedy.

#include "apps/server/settings.hpp"
#include "net/plain_context.hpp"
#include "net/server_identity.hpp"
#include "net/tls_context.hpp"
#include "storage/store.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

namespace muster::server {

struct foundation {
  net::server_identity identity;
  std::unique_ptr<storage::store> db;
  net::server_tls_context_ptr agents_tls;
  net::server_tls_context_ptr admin_tls;
  net::server_plain_context_ptr agents_plain; ///< null when that port is off
};

/// RocksDB's files, logs, ports, and some to spare; connections come on top.
inline constexpr std::uint64_t descriptors_beside = 1024;
/// How many this server must be able to have.
[[nodiscard]] std::uint64_t descriptors_wanted(const server_settings& settings);

[[nodiscard]] std::optional<foundation> lay_foundation(const server_settings& settings,
                                                       std::string& problem);

/// For agents, with the present certificate.
[[nodiscard]] net::server_tls_context_ptr agents_context(const net::server_identity& identity,
                                                         std::string& problem);

/// For agents that do without encryption, with the present certificate.
[[nodiscard]] net::server_plain_context_ptr plain_context(const net::server_identity& identity,
                                                          std::string& problem);

/// For consoles: the operator's own certificate, or ours.
[[nodiscard]] net::server_tls_context_ptr admin_context(const server_settings& settings,
                                                        const net::server_identity& identity,
                                                        std::string& problem);

} // namespace muster::server
