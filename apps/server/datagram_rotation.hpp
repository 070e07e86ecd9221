#pragma once
// `muster-server rotate-datagram-keys`: a new secret for wakes and notices.

#include "net/datagram_keys.hpp"

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

namespace muster::server {

/// A device that has not connected between two rotations has no valid key: it cannot be called, and
/// its notices are not believed, until it connects by itself. Nobody counts who has which keys, so
/// time stands for it: within this, a second rotation wants to be forced.
inline constexpr std::chrono::hours rotation_rest{24 * 7};

/// Why these must not be rotated now; empty when they may. Pure. Generations are the times at which
/// they were made (net::rotated).
[[nodiscard]] std::optional<std::string> refusal_of_rotation(const net::datagram_secrets& now,
                                                             std::int64_t now_s, bool force);

/// Rotates what is in the identity directory; on the disk when this returns. A server that runs has
/// to use the answer itself. Empty with a sentence in `problem`.
[[nodiscard]] std::optional<net::datagram_secrets>
rotate_datagram_keys(const std::filesystem::path& identity, std::int64_t now_s, bool force,
                     std::string& problem);

} // namespace muster::server
