#pragma once
// The identity directory: everything that makes a server this server. Made at first start.

#include "net/certificate.hpp"
#include "net/datagram_keys.hpp"
#include "net/ticket_keys.hpp"

#include <array>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <system_error>

namespace muster::net {

/// Loaded once at start; immutable but for the ticket keys and a renewed certificate. Directory
/// 0700, files 0600:
///
///   authority.key   the CA's private key         lost or damaged: the fleet must enrol anew, so
///   authority.pem   the CA's certificate         each is only ever restored, from a backup or by
///   secrets         server id and the secrets    `muster-server identity import`
///   datagram.secrets  since their first rotation, what datagrams are authenticated by; likewise,
///                   though without it devices are only out of reach until they connect
///   server.pem      certificate and its key, one file so that they change together; remove it and
///                   the next start makes another
///   tickets.keys    see ticket_keys.hpp; likewise
struct server_identity {
  id_bytes server_id{};
  certificate_authority authority;
  key_pair server_key;
  certificate server_certificate;
  std::array<std::uint8_t, 32> wake_seed{}; ///< Ed25519 (RFC 8032) private key
  std::array<std::uint8_t, 32> wake_public_key{};
  datagram_secrets datagram;
  std::array<std::uint8_t, 32> settings_key{};
  std::shared_ptr<ticket_keys> tickets;
  bool made_now = false; ///< this was the first start
};

/// Reads the directory, or makes it where there is none or an empty one. That happens in
/// `DIRECTORY.new`, renamed when all is on disk: a crash in the middle leaves no half identity, and
/// what is missing in an existing one was lost, not about to be made. Replaces a server certificate
/// that is due (below). On failure `problem` is one clear sentence naming file and remedy.
[[nodiscard]] std::optional<server_identity>
load_or_make_server_identity(const std::filesystem::path& directory, std::int64_t now_s,
                             std::string& problem);

/// What there is to see of an identity without using or mending it.
struct server_identity_view {
  certificate authority;
  std::optional<certificate> server; ///< empty: the next start makes one
  datagram_secrets datagram;
};

/// Judges the directory as a start would, and changes nothing. Empty with a sentence in `problem`.
[[nodiscard]] std::optional<server_identity_view>
look_at_server_identity(const std::filesystem::path& directory, std::string& problem);

/// Replaces key and certificate when the certificate has passed 2/3 of its life or is not valid
/// yet (the clock was wrong when it was made). True when it did; false with an empty `problem` when
/// it is not due. A server that runs for months asks once a day.
[[nodiscard]] bool renew_server_certificate_if_due(server_identity& identity,
                                                   const std::filesystem::path& directory,
                                                   std::int64_t now_s, std::string& problem);

} // namespace muster::net
