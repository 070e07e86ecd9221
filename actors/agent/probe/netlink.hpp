#pragma once
// What the kernel says on a routing socket, as far as we care. Pure.

#include <string_view>

namespace muster::actors::probe {

/// Whether one datagram of the kernel tells of a link, an address or a route that has come, gone or
/// changed, or of news that got lost. Never reads beyond `bytes`; stops at what is no message.
[[nodiscard]] bool tells_of_network(std::string_view bytes);

} // namespace muster::actors::probe
