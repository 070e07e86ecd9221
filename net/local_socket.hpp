#pragma once
// Unix sockets of sequenced packets: the system calls of local_port, apart from who talks.

#include "net/accept_gate.hpp"

#include <chrono>
#include <cstddef>
#include <filesystem>
#include <optional>
#include <string>
#include <system_error>

namespace muster::net {

/// A connection to whoever listens at `path`. A full queue there is waited for; every later wait
/// for room is bounded by `patience` too. timed_out when it is over.
[[nodiscard]] owned_descriptor connect_local(const std::filesystem::path& path,
                                             std::chrono::milliseconds patience,
                                             std::error_code& ec);

/// Listens at `path`, not blocking. The socket file appears with its mode, in one step, and
/// replaces one at which nobody listens any more. address_in_use when somebody does, file_exists
/// when there is something else than a socket.
[[nodiscard]] owned_descriptor listen_local(const std::filesystem::path& path, unsigned mode,
                                            std::error_code& ec);

/// Tells a socket file from one that has taken its place. Zero: none.
[[nodiscard]] std::size_t file_number(const std::filesystem::path& path) noexcept;

/// What one read of a socket brought.
struct local_packet {
  enum class kind { message, nothing_yet, end, too_long };
  kind what = kind::end;
  std::string message;
};
[[nodiscard]] local_packet receive_local(int fd, std::size_t bytes_max);

} // namespace muster::net
