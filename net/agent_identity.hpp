#pragma once
// What makes a device this device: key, certificate, and which server it belongs to.

#include "net/certificate.hpp"

#include <array>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace muster::net {

/// In a directory of its own, 0700, of two files, 0600: `device.key` and `enrolment` (the rest, in
/// one file, so that it is there whole or not at all). Once it was replaced (a move to another
/// server), `enrolment` has the key as well, for the same reason.
struct agent_identity {
  id_bytes device_id{};
  key_pair key;
  certificate leaf;
  std::vector<certificate> bundle;                 ///< CA certificates; one today
  id_bytes server_id{};
  std::array<std::uint8_t, 32> wake_public_key{};
  std::string server;                              ///< HOST:PORT as enrolled, or moved to
  /// A setting with just this text names the server from which this device has moved away, and is
  /// void. Kept here, so that identity and way to the server change in one step. Empty: none is.
  std::string moved_from{};
};

/// The device's key, made on first use and kept before anything is sent, so that a retry of the
/// enrolment shows the same key. On failure `problem` is one clear sentence.
[[nodiscard]] std::optional<key_pair>
load_or_make_agent_key(const std::filesystem::path& directory, std::string& problem);

/// Writes everything but the key, atomically. Keys for datagrams (net/datagram_key_file.hpp) are
/// forgotten: they were another enrolment's. Refuses what load_agent_identity() would refuse.
[[nodiscard]] bool save_agent_identity(const std::filesystem::path& directory,
                                       const agent_identity& identity, std::string& problem);

/// Puts this identity, key included, in the place of the one that is there: at any moment, a crash
/// included, one of the two is there, whole. What only the former one needed is removed, unless both
/// are the same device of the same server: then its keys for datagrams stay. Refuses what
/// load_agent_identity() would refuse.
[[nodiscard]] bool replace_agent_identity(const std::filesystem::path& directory,
                                          const agent_identity& identity, std::string& problem);

/// Empty with an empty `problem` when the device has not enrolled yet (it may have a key). A problem
/// is one clear sentence naming file and remedy.
[[nodiscard]] std::optional<agent_identity>
load_agent_identity(const std::filesystem::path& directory, std::string& problem);

} // namespace muster::net
