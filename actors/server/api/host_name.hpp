#pragma once
// HOST and HOST:PORT, as far as the admin API has to understand them.

#include <cstdint>
#include <string>
#include <string_view>

namespace muster::actors::api {

/// The host of a Host header: "name:13299" and "[::1]:13299" without their port, brackets kept.
[[nodiscard]] std::string host_of(std::string_view header);

/// The same, or this machine's name when the console has reached us by a way that only this machine
/// has (localhost, a loopback address).
[[nodiscard]] std::string host_for_clients(std::string_view header);

/// Where agents go: the host with this port unless it names one itself; a bare IPv6 address gets
/// brackets. Without a port (0: not bound) only the host; without a host nothing.
[[nodiscard]] std::string agents_address(std::string_view host, std::uint16_t port);

} // namespace muster::actors::api
