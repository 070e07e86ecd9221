#pragma once
// Moving a server's identity to another machine: one file, sealed under a passphrase
// (`muster-server identity export|import`).

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace muster::net {

/// Name to content. In an archive: authority.key, authority.pem, secrets, and datagram.secrets when
/// there is one. The server's certificate
/// and the ticket keys stay behind; the next start makes others.
using directory_contents = std::map<std::string, std::string>;

/// What a guess at the passphrase costs (RFC 7914). The default: 128 MB and about 0.4 s.
struct scrypt_cost {
  std::uint8_t log2_n = 17;
  std::uint8_t r = 8;
  std::uint8_t p = 1;
};

inline constexpr std::size_t passphrase_bytes_min = 12;

/// The archive, binary:
///
///   bytes  0-7   "MUSTERID"
///          8     version, 1
///          9-11  scrypt: log2 N, r, p
///         12-27  scrypt: salt
///         28-39  AES-256-GCM: nonce
///         40-    ciphertext of pack_files(), then the 16 bytes of the tag; bytes 0-39 are the
///                additional data, so that nothing of them can be changed either
///
/// The key is scrypt of the passphrase's bytes.
[[nodiscard]] std::string seal_identity(const directory_contents& files,
                                        std::string_view passphrase, const scrypt_cost& cost = {});

/// Empty with a sentence in `problem`: no archive, too new, cut short, or a wrong passphrase (which
/// cannot be told from a changed archive). Refuses to spend more than 256 MB.
[[nodiscard]] std::optional<directory_contents>
open_identity(std::string_view archive, std::string_view passphrase, std::string& problem);

/// Per file, in the order of the names: length of the name in one byte, name, length of the content
/// in three (big-endian), content. At most 64 KB in all.
[[nodiscard]] std::string pack_files(const directory_contents& files);
[[nodiscard]] std::optional<directory_contents> unpack_files(std::string_view packed);

// -- the directory ------------------------------------------------------------------------------

/// Reads an identity, judges it as a start would, and seals it.
[[nodiscard]] std::optional<std::string>
export_server_identity(const std::filesystem::path& directory, std::string_view passphrase,
                       std::string& problem);

/// Makes the directory, all of it or nothing. Refuses when there is anything in it already: no
/// identity is ever overwritten.
[[nodiscard]] bool import_server_identity(const std::filesystem::path& directory,
                                          std::string_view archive, std::string_view passphrase,
                                          std::string& problem);

} // namespace muster::net
