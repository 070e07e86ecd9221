#pragma once
// Ports for programs that have to be told one, or that come back to the one they had.

#include <cstdint>

namespace muster::test {

/// A port, of TCP and UDP, that is free here and that no other test of this machine gets until this
/// process ends. It lies outside of the range from which the kernel serves whoever asks for any
/// port or connects, so nobody gets it by chance while its program is being started again.
[[nodiscard]] std::uint16_t reserve_port();

} // namespace muster::test
