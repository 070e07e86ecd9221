#pragma once
// The identity directory: everything that makes a server this server. Made at first start.

#include "net/certificate.hpp"
#include "net/ticket_keys.hpp"

#include <array>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <system_error>

namespace muster::net {

/// Loaded once at start; immutable but for the ticket keys. Directory 0700, files 0600.
struct server_identity {
  id_bytes server_id{};
  certificate_authority authority;
  key_pair server_key;
  certificate server_certificate;
  std::array<std::uint8_t, 32> wake_seed{};        ///< Ed25519 (RFC 8032) private key
  std::array<std::uint8_t, 32> wake_public_key{};
  std::array<std::uint8_t, 32> datagram_secret{};
  std::array<std::uint8_t, 32> settings_key{};
  std::shared_ptr<ticket_keys> tickets;
  bool made_now = false;                           ///< this was the first start
};

/// Reads the directory, or makes it (atomically: a crash in the middle leaves no half identity).
/// Replaces a server certificate that has passed 2/3 of its life. On failure `problem` is one
/// clear sentence naming file and remedy.
[[nodiscard]] std::optional<server_identity>
load_or_make_server_identity(const std::filesystem::path& directory, std::int64_t now_s,
                             std::string& problem);

} // namespace muster::net
