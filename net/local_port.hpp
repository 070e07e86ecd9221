#pragma once
// A Unix socket on which other programs of this machine ask one thing and get one answer. The
// kernel vouches for the peer's user. CAF-free.

#include "net/io_pool.hpp"
#include "net/limits.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>

namespace muster::net {

struct local_peer {
  std::uint32_t user = 0;
  std::uint32_t group = 0;
  std::int32_t process = 0;
};

struct local_port_options {
  std::filesystem::path path;       ///< an old socket of a dead process is replaced
  unsigned mode = 0666;             ///< of the socket file: 0600 for root only
  std::size_t connections_max = 64; ///< more wait in the kernel's queue
  /// Of one user but root, so that nobody alone fills the port; more are closed at once.
  std::size_t connections_per_user_max = 16;
  /// A connection that asks nothing for so long is closed. Waiting for our answer does not count.
  std::chrono::milliseconds idle_max = limits::local_idle_max;
};

/// SOCK_SEQPACKET: one message of at most limits::local_message_bytes_max is one request; exactly
/// one answer follows, then the next request may come. Longer requests, and answers that are empty
/// or above limits::local_answer_bytes_max, end the connection instead. Thread-safe; lives on one
/// lane; dropping the last handle closes it.
class local_port {
public:
  /// Told on an io thread, for each connection one at a time. `answer` may be called once, later
  /// and from any thread; when its last copy is dropped uncalled, the connection closes.
  using on_request = std::function<void(const local_peer& peer, std::string message,
                                        std::function<void(std::string)> answer)>;
  /// Null with std::errc::address_in_use when another process answers there.
  [[nodiscard]] static std::shared_ptr<local_port>
  open(io_pool& pool, const local_port_options& options, on_request request, std::error_code& ec);
  virtual ~local_port() = default; ///< as close()
  /// Removes the socket file and ends all connections. After the return no request is told any
  /// more. May be called in on_request.
  virtual void close() = 0;
};

/// Client side, blocking. Empty with a sentence in `problem` on failure.
[[nodiscard]] std::optional<std::string> ask_local(const std::filesystem::path& path,
                                                   std::string_view message,
                                                   std::chrono::milliseconds timeout,
                                                   std::string& problem);

} // namespace muster::net
