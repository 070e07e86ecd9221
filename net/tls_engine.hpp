#pragma once
// TLS 1.3 as an engine: ciphertext in, plaintext and ciphertext out. BoringSSL behind a BIO over the
// caller's buffers.

#include "net/engine.hpp"
#include "net/tls_context.hpp"

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <system_error>

struct ssl_st;

namespace muster::net {

struct tls_call;

/// Holds no buffer while idle (about 3.3 KB on a server, all of it BoringSSL's: there is no state
/// of ours to speak of, and no second object to hold it). in_unit() does not know: the library does
/// not tell whether it has begun a record.
class tls_engine final : public engine {
public:
  explicit tls_engine(const server_tls_context& context);
  /// `offer` resumes an earlier session when not null (client only).
  tls_engine(const client_tls_context& context, const tls_session_ptr& offer);
  ~tls_engine() override;

  [[nodiscard]] std::error_code start(std::string& out) override;
  [[nodiscard]] std::error_code receive(std::span<const std::uint8_t> in, std::string& plain,
                                        std::string& out) override;
  [[nodiscard]] std::error_code send(std::string_view plain, std::string& out) override;
  void shutdown(std::string& out) override;
  [[nodiscard]] bool open() const noexcept override { return open_; }
  [[nodiscard]] bool peer_closed() const noexcept override { return peer_closed_; }
  [[nodiscard]] peer_info peer() const override;

private:
  std::error_code fail(const tls_call& call);
  std::error_code refuse(std::uint8_t alert, errc why);
  std::error_code handshake(tls_call& call);
  void decide_tickets();
  std::error_code finish_handshake();
  std::error_code read(tls_call& call, std::string& plain);
  [[nodiscard]] std::optional<sha256_digest> peer_certificate() const;
  [[nodiscard]] std::array<std::uint8_t, 32> exporter() const;

  ssl_st* ssl_;
  bool open_ = false;
  bool peer_closed_ = false;
  bool failed_ = false;
  bool tickets_decided_ = false;
};

} // namespace muster::net
