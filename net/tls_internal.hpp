#pragma once
// What tls_context, tls_engine and the callbacks that BoringSSL calls in between share. Included by
// net/tls_*.cpp only.

#include "net/tls_context.hpp"

#include <openssl/ssl.h>

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#ifndef OPENSSL_IS_BORINGSSL
#error "these headers are not BoringSSL's: link muster_boringssl, which puts them first"
#endif

namespace muster::net {

/// What the callbacks look at. Belongs to the SSL_CTX, which every SSL holds: it is there as long
/// as the last connection.
struct tls_rules {
  std::string alpn;                                     ///< without length
  bool wants_client_certificate = false;                ///< server
  certificate authority;                                ///< server
  std::shared_ptr<ticket_keys> tickets;                 ///< server; null: none
  server_expectation server;                            ///< client
  std::function<std::int64_t()> now_s;                  ///< client; never empty
  std::function<void(const certificate&)> on_authority; ///< client
  std::function<void(tls_session_ptr)> on_session;      ///< client
  bool proves_itself = false;                           ///< client: has a certificate to show
  sha256_digest scope{}; ///< client: names all that a session was made under
};

void attach_rules(SSL_CTX* context, std::unique_ptr<const tls_rules> rules);
[[nodiscard]] const tls_rules& rules_of(const SSL_CTX* context);
[[nodiscard]] const tls_rules& rules_of(const SSL* ssl);

class tls_session {
public:
  tls_session(SSL_SESSION* session, const sha256_digest& scope, std::int64_t not_after_s)
    : session_(session), scope_(scope), not_after_s_(not_after_s) {}
  /// Null when this client must not resume it now.
  [[nodiscard]] SSL_SESSION* for_client(const tls_rules& rules) const {
    return rules.scope == scope_ && rules.now_s() <= not_after_s_ ? session_.get() : nullptr;
  }

private:
  bssl::UniquePtr<SSL_SESSION> session_;
  sha256_digest scope_;
  std::int64_t not_after_s_; ///< of the server's certificate
};

// -- one call into the engine -----------------------------------------------------------------

/// Where BoringSSL reads and writes during one call, and what our callbacks found wrong.
struct tls_call {
  std::string_view in;
  std::string* out = nullptr;
  errc verdict = errc::success;
};

/// Connects `ssl` to `call` while it lives. One BIO per thread serves all its connections, so that
/// an idle connection has none.
class tls_call_scope {
public:
  tls_call_scope(SSL* ssl, tls_call& call);
  ~tls_call_scope();
  tls_call_scope(const tls_call_scope&) = delete;
  tls_call_scope& operator=(const tls_call_scope&) = delete;

private:
  SSL* ssl_;
  tls_call* outer_; ///< of the call into another engine in whose callback we are, if any
};

/// The call in progress on this connection.
[[nodiscard]] tls_call& call_of(const SSL* ssl);

/// Best name for why the last operation on `ssl` failed. Empties the thread's error queue.
[[nodiscard]] errc why_failed(const SSL* ssl, const tls_call& call);

// -- callbacks --------------------------------------------------------------------------------

ssl_verify_result_t verify_client(SSL* ssl, std::uint8_t* alert);
ssl_verify_result_t verify_server(SSL* ssl, std::uint8_t* alert);

/// Tickets sealed with AES-256-GCM under the keys of the context's rules.
extern const SSL_TICKET_AEAD_METHOD ticket_method;

// -- making contexts --------------------------------------------------------------------------

/// What both sides have in common; null when out of memory.
[[nodiscard]] bssl::UniquePtr<SSL_CTX> make_context(const SSL_METHOD* method);
/// Shows `leaf` and what follows it; false when the key is not the leaf's.
[[nodiscard]] bool show_chain(SSL_CTX* context, std::span<const std::string> chain_der,
                              EVP_PKEY* key);

} // namespace muster::net
