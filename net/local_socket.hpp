#pragma once
// Unix sockets of sequenced packets: the system calls of local_port, apart from who talks.

#include "net/accept_gate.hpp"

#include <cstddef>
#include <filesystem>
#include <system_error>

namespace muster::net {

/// A connection to whoever listens at `path`; blocking unless told otherwise.
[[nodiscard]] owned_descriptor connect_local(const std::filesystem::path& path,
                                             std::error_code& ec);

/// Listens at `path`, not blocking. The socket file appears with its mode, in one step, and
/// replaces one at which nobody listens any more. address_in_use when somebody does.
[[nodiscard]] owned_descriptor listen_local(const std::filesystem::path& path, unsigned mode,
                                            std::error_code& ec);

/// Tells a socket file from one that has taken its place. Zero: none.
[[nodiscard]] std::size_t file_number(const std::filesystem::path& path) noexcept;

} // namespace muster::net
