#pragma once
// The files of a server's identity, between text on disk and values. For server_identity.cpp and
// identity_archive.cpp only.

#include "net/certificate.hpp"
#include "net/identity_archive.hpp"

#include <array>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

namespace muster::net::identity_files {

inline constexpr const char* authority_key = "authority.key";
inline constexpr const char* authority = "authority.pem";
inline constexpr const char* secrets = "secrets";
inline constexpr const char* datagrams = "datagram.secrets";
inline constexpr const char* server = "server.pem";
inline constexpr const char* tickets = "tickets.keys";

/// What cannot be made again, and so what an archive carries.
inline constexpr std::array core_files{authority_key, authority, secrets};
/// What an archive carries when it is there: without it devices are out of reach for a while.
inline constexpr std::array more_files{datagrams};

/// The values in the core files.
struct core {
  id_bytes server_id{};
  certificate_authority authority;
  std::array<std::uint8_t, 32> wake_seed{};
  std::array<std::uint8_t, 32> datagram_secret{};
  std::array<std::uint8_t, 32> settings_key{};
};

/// A new identity.
[[nodiscard]] directory_contents make_core(std::int64_t now_s);

/// The core files of an existing directory, of which a missing one is a problem, and of the others
/// those that are there.
[[nodiscard]] std::optional<directory_contents> read_core(const std::filesystem::path& directory,
                                                          std::string& problem);

/// Whole, and of one identity? `directory` is only for the sentence.
[[nodiscard]] std::optional<core> judge_core(const directory_contents& files,
                                             const std::filesystem::path& directory,
                                             std::string& problem);

/// Whether there is no such directory, or nothing in it. Empty when that cannot be told.
[[nodiscard]] std::optional<bool> is_vacant(const std::filesystem::path& directory,
                                            std::string& problem);

enum class placing { placed, occupied, failed };

/// Makes the directory with these files: all of it or nothing, over a crash too. occupied, without
/// a problem, when there is something in it already.
[[nodiscard]] placing place(const std::filesystem::path& directory, const directory_contents& files,
                            std::string& problem);

} // namespace muster::net::identity_files
