#pragma once
// TLS 1.3 as a pure function of bytes: ciphertext in, plaintext and ciphertext out. No socket, no
// thread, no clock; BoringSSL behind a BIO over the caller's buffers.

#include "net/link.hpp"
#include "net/tls_context.hpp"

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <system_error>

struct ssl_st;

namespace muster::net {

/// One end of one connection. Belongs to one thread at a time. Holds no buffer while idle (about
/// 3.3 KB on a server, all of it BoringSSL's). After any error only destruction is useful.
class tls_engine {
public:
  explicit tls_engine(const server_tls_context& context);
  /// `offer` resumes an earlier session when not null (client only).
  tls_engine(const client_tls_context& context, const tls_session_ptr& offer);
  ~tls_engine();
  tls_engine(tls_engine&&) noexcept;
  tls_engine& operator=(tls_engine&&) noexcept;

  /// Client: writes the first flight to `out`. Server: nothing to do, may be called all the same.
  [[nodiscard]] std::error_code start(std::string& out);

  /// Takes bytes from the wire, all of them. Appends decrypted application data to `plain` and
  /// what must be sent to `out`. When an error is returned, `out` may hold an alert to send.
  /// `peer_closed()` tells an orderly end.
  [[nodiscard]] std::error_code receive(std::span<const std::uint8_t> in, std::string& plain,
                                        std::string& out);

  /// Encrypts application data. Only once `open()`.
  [[nodiscard]] std::error_code send(std::string_view plain, std::string& out);

  /// Appends close_notify.
  void shutdown(std::string& out);

  /// The handshake is finished on our side (a server has then verified the client's certificate).
  [[nodiscard]] bool open() const noexcept;
  [[nodiscard]] bool peer_closed() const noexcept;

  /// What the handshake proved; address and port are the caller's to fill. Only once `open()`.
  [[nodiscard]] peer_info peer() const;

private:
  struct state;
  std::unique_ptr<state> state_;
};

} // namespace muster::net
