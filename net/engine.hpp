#pragma once
// The seam between a connection and what protects it: bytes from the wire in, plaintext and bytes
// for the wire out. TLS on the one port (tls_engine.hpp), the plain protocol on the other
// (plain_engine.hpp); a link does not know which.

#include "net/link.hpp"

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <system_error>

namespace muster::net {

/// One end of one connection: no socket, no thread, no timer. Belongs to one thread at a time.
/// After any error only destruction is useful.
class engine {
public:
  engine() = default;
  virtual ~engine() = default;
  engine(const engine&) = delete;
  engine& operator=(const engine&) = delete;

  /// Client: writes the first flight to `out`. Server: nothing to do, may be called all the same.
  [[nodiscard]] virtual std::error_code start(std::string& out) = 0;

  /// Takes bytes from the wire, all of them. Appends what the peer said to `plain` and what must
  /// be sent to `out`. When an error is returned, `out` may hold a last word to send, and `plain`
  /// what was proved to be the peer's before it.
  [[nodiscard]] virtual std::error_code receive(std::span<const std::uint8_t> in,
                                                std::string& plain, std::string& out) = 0;

  /// Protects what we say. Only once `open()`.
  [[nodiscard]] virtual std::error_code send(std::string_view plain, std::string& out) = 0;

  /// Appends the goodbye without which an end of the stream is a truncation.
  virtual void shutdown(std::string& out) = 0;

  /// The handshake is finished on our side (a server has then verified the client's certificate).
  [[nodiscard]] virtual bool open() const noexcept = 0;
  /// The peer has said goodbye.
  [[nodiscard]] virtual bool peer_closed() const noexcept = 0;
  /// A unit has begun of which nothing can be delivered before its end has come; as far as the
  /// engine can tell.
  [[nodiscard]] virtual bool in_unit() const noexcept { return false; }

  /// What the handshake proved; address and port are the caller's to fill. Only once `open()`.
  [[nodiscard]] virtual peer_info peer() const = 0;
};

using engine_ptr = std::unique_ptr<engine>;

} // namespace muster::net
