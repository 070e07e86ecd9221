#pragma once
// What all TLS connections of one port (or one client) share: our certificate, whom we trust,
// which application protocol, and the tickets.

#include "net/certificate.hpp"
#include "net/errc.hpp"
#include "net/ticket_keys.hpp"
#include "net/trust.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <system_error>
#include <vector>

struct ssl_ctx_st;

namespace muster::net {

inline constexpr const char* alpn_agent = "muster/1";
inline constexpr const char* alpn_http = "http/1.1";

/// Whether the library behind these calls is the one whose headers we were compiled with. Programs
/// ask once, first thing: a mix of two TLS libraries in one process fails in ways nobody finds.
[[nodiscard]] bool running_on_boringssl();

/// A session a client may resume. Opaque; shared by whoever remembers it. It knows what was
/// expected of the server when it was made: offered by a context that expects something else
/// (another pin, server, identity or protocol), or after the server's certificate has expired, it
/// is ignored and a full handshake follows.
class tls_session;
using tls_session_ptr = std::shared_ptr<tls_session>;

struct server_tls_options {
  std::optional<key_pair> key; ///< of the leaf
  certificate leaf;            ///< role server
  certificate authority;       ///< sent behind the leaf, and who must have issued clients
  bool ask_for_client_certificate = true; ///< agents' port; false for the admin port
  std::string alpn = alpn_agent;          ///< at most 255 bytes; a client without it is refused
  std::shared_ptr<ticket_keys> tickets;   ///< null: no tickets, no resumption
  /// The operator's own certificates (leaf first) and key instead of ours, for the admin port; the
  /// key may be of any kind that TLS 1.3 signs with and may stand in the same file. Empty: unused.
  std::string chain_pem;
  std::string key_pem;
};

/// Immutable after construction, thread-safe. TLS 1.3 only, X25519 then P-256, one ticket per
/// handshake, memory settings for idle connections. A client certificate must be issued by the
/// authority for the role device; its validity period is not looked at: whether it is known,
/// revoked or expired is decided after the handshake, in one place, by the directory. A client may
/// show none (to enrol); where certificates are asked for, such a client gets no ticket. What the
/// connections need lives as long as they do, even when the context itself is gone.
class server_tls_context {
public:
  [[nodiscard]] static std::shared_ptr<const server_tls_context>
  make(const server_tls_options& options, std::error_code& ec);
  ~server_tls_context();
  server_tls_context(const server_tls_context&) = delete;
  server_tls_context& operator=(const server_tls_context&) = delete;
  ssl_ctx_st* native() const noexcept { return native_; }

private:
  explicit server_tls_context(ssl_ctx_st* native) : native_(native) {}
  ssl_ctx_st* native_;
};

using server_tls_context_ptr = std::shared_ptr<const server_tls_context>;

struct client_tls_options {
  std::optional<key_pair> key; ///< with `leaf`: prove ourselves
  std::optional<certificate> leaf;
  server_expectation server;
  std::string alpn = alpn_agent;
  /// Validity is judged by this clock (seconds since 1970): the later of the machine's and the
  /// last server time told. Empty: the machine's.
  std::function<std::int64_t()> now_s;
  /// Called during a full handshake with the CA certificate the server showed, before anything is
  /// judged; for first contact. On the engine's thread; must not touch the engine.
  std::function<void(const certificate&)> on_authority;
  /// Called with each ticket, on the engine's thread; keep the newest.
  std::function<void(tls_session_ptr)> on_session;
};

/// As server_tls_context, for the connecting side. One per identity and server.
class client_tls_context {
public:
  [[nodiscard]] static std::shared_ptr<const client_tls_context>
  make(const client_tls_options& options, std::error_code& ec);
  ~client_tls_context();
  client_tls_context(const client_tls_context&) = delete;
  client_tls_context& operator=(const client_tls_context&) = delete;
  ssl_ctx_st* native() const noexcept { return native_; }

private:
  explicit client_tls_context(ssl_ctx_st* native) : native_(native) {}
  ssl_ctx_st* native_;
};

using client_tls_context_ptr = std::shared_ptr<const client_tls_context>;

} // namespace muster::net
