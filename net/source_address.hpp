#pragma once
// From which of our addresses another one is reached: the way a machine's network has changed, or
// has not, as far as one peer is concerned.

#include <cstdint>
#include <string>

namespace muster::net {

/// The local address that the kernel would use towards this numeric one, as text; empty when there
/// is no way. Asks the routing table; nothing is sent, nothing waited for.
[[nodiscard]] std::string source_address_towards(const std::string& address);

} // namespace muster::net
