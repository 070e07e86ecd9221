#pragma once
// The server's secrets for datagrams once they have been rotated: `datagram.secrets` in its
// identity directory. Before the first rotation there is no such file, and the one secret is in
// `secrets`.

#include "net/datagram_keys.hpp"

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

namespace muster::net {

/// The file's text: a line for each generation, the newest first, and a check over all. Pure.
[[nodiscard]] std::string datagram_secrets_text(const datagram_secrets& secrets);

/// Empty when the text is anything but what datagram_secrets_text() makes. Pure.
[[nodiscard]] std::optional<datagram_secrets> parse_datagram_secrets(std::string_view text);

/// What follows these: a new secret under a new generation, beside the newest so far. Generations
/// are numbered by the clock (seconds since 1970), so that one made after a restore of an old
/// directory is not mistaken for one that devices hold already; and each is above the one before,
/// whatever the clock says.
[[nodiscard]] datagram_secrets rotated(const datagram_secrets& now, std::int64_t now_s);

/// What is valid: the file's or, without one, generation 1 of `first`. Empty with a sentence in
/// `problem` when there is a file that cannot be used.
[[nodiscard]] std::optional<datagram_secrets>
load_datagram_secrets(const std::filesystem::path& directory,
                      const std::array<std::uint8_t, 32>& first, std::string& problem);

/// Makes a new generation, on the disk when this returns, in the identity of a server that runs or
/// does not. Empty with a sentence in `problem`: then everything is as it was.
[[nodiscard]] std::optional<datagram_secrets>
rotate_datagram_secrets(const std::filesystem::path& directory, std::int64_t now_s,
                        std::string& problem);

} // namespace muster::net
