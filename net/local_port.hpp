#pragma once
// A Unix socket on which other programs of this machine ask one thing and get one answer. The
// kernel vouches for the peer's user. CAF-free.

#include "net/io_pool.hpp"

#include <cstdint>
#include <chrono>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string_view>
#include <string>
#include <system_error>

namespace muster::net {

struct local_peer {
  std::uint32_t user = 0;
  std::uint32_t group = 0;
  std::int32_t process = 0;
};

struct local_port_options {
  std::filesystem::path path;          ///< an old socket of a dead process is replaced
  unsigned mode = 0666;                ///< of the socket file: 0600 for root only
  std::size_t connections_max = 64;
};

/// SOCK_SEQPACKET: one message of at most limits::local_message_bytes_max is one request; exactly
/// one answer follows. `answer` may be called later and from any thread.
class local_port {
public:
  using on_request = std::function<void(const local_peer& peer, std::string message,
                                        std::function<void(std::string)> answer)>;
  [[nodiscard]] static std::shared_ptr<local_port>
  open(io_pool& pool, const local_port_options& options, on_request request, std::error_code& ec);
  virtual ~local_port() = default; ///< removes the socket file
  virtual void close() = 0;
};

/// Client side, blocking. Empty with a sentence in `problem` on failure.
[[nodiscard]] std::optional<std::string> ask_local(const std::filesystem::path& path,
                                                   std::string_view message,
                                                   std::chrono::milliseconds timeout,
                                                   std::string& problem);

} // namespace muster::net
