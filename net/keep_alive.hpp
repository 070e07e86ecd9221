#pragma once
// How a connection finds out that its peer has gone without a word: the kernel asks. Costs no byte
// of user memory and none of the protocol's.

#include <chrono>

namespace muster::net {

/// Unless a setting says otherwise.
inline constexpr std::chrono::seconds keep_alive_period{60};

/// A connection on which nothing has come for `period` is asked for a sign of life, then four times
/// in each further period; it ends when nothing has come for two. The same holds for what we say and
/// nobody acknowledges. From 1 s to 9 h, which is the kernel's limit; beyond, the nearest. Zero: the
/// peer may be away for ever.
///
/// For each end on its own: behind a firewall that forgets idle connections, either one's asking
/// keeps it known.
void keep_alive(int socket, std::chrono::seconds period) noexcept;

} // namespace muster::net
