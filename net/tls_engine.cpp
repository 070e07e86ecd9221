#include "net/tls_engine.hpp"

#include "net/der.hpp"
#include "net/enrolment_proof.hpp"
#include "net/tls_internal.hpp"

#include <muster/assert.hpp>

#include <openssl/err.h>
#include <openssl/x509.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <limits>
#include <utility>

namespace muster::net {

namespace {

/// One record's worth. Belongs to the thread: decrypted bytes pass through on their way to the
/// caller.
std::span<char> record_buffer() {
  thread_local std::array<char, 16 * 1024> buffer;
  return buffer;
}

bool wants_more(const SSL* ssl, int result) {
  return SSL_get_error(ssl, result) == SSL_ERROR_WANT_READ;
}

} // namespace

// Two words per connection, beside what the library holds.
struct tls_engine::state {
  SSL* ssl;
  bool open = false;
  bool peer_closed = false;
  bool failed = false;
  bool tickets_decided = false;

  explicit state(SSL_CTX* context) : ssl(SSL_new(context)) {
    MUSTER_ASSERT(ssl != nullptr, "out of memory");
    SSL_set_shed_handshake_config(ssl, 1);
  }
  ~state() { SSL_free(ssl); }
  state(const state&) = delete;
  state& operator=(const state&) = delete;

  std::error_code fail(const tls_call& call) {
    failed = true;
    return why_failed(ssl, call);
  }

  std::error_code refuse(std::uint8_t alert, errc why) {
    failed = true;
    open = false;
    SSL_send_fatal_alert(ssl, alert);
    ERR_clear_error();
    return why;
  }

  std::error_code handshake(tls_call& call) {
    const auto written_before = call.out->size();
    const int result = SSL_do_handshake(ssl);
    if (result == 1)
      return finish_handshake();
    if (!wants_more(ssl, result))
      return fail(call);
    if (SSL_is_server(ssl) == 1 && call.out->size() != written_before)
      decide_tickets();
    return {};
  }

  /// A server has answered a client hello: whether the client resumes is known, who it is not yet.
  /// A stranger gets no ticket (it is of no use to somebody who is about to enrol); verify_client
  /// takes this back.
  void decide_tickets() {
    if (std::exchange(tickets_decided, true) || !rules_of(ssl).wants_client_certificate)
      return;
    if (SSL_session_reused(ssl) == 0)
      SSL_set_options(ssl, SSL_OP_NO_TICKET);
  }

  std::error_code finish_handshake() {
    open = true;
    const std::uint8_t* name = nullptr;
    unsigned size = 0;
    SSL_get0_alpn_selected(ssl, &name, &size);
    const std::string_view selected(reinterpret_cast<const char*>(name), size);
    // Who offers or selects no protocol at all passes the library's own check.
    if (selected != rules_of(ssl).alpn)
      return refuse(SSL_AD_NO_APPLICATION_PROTOCOL, errc::tls_wrong_alpn);
    return {};
  }

  std::error_code read(tls_call& call, std::string& plain) {
    const auto buffer = record_buffer();
    // Ends: each turn takes at least one byte of what there is to take, or leaves.
    while (!peer_closed) {
      const int result = SSL_read(ssl, buffer.data(), static_cast<int>(buffer.size()));
      if (result > 0) {
        plain.append(buffer.data(), static_cast<std::size_t>(result));
        continue;
      }
      const int why = SSL_get_error(ssl, result);
      if (why == SSL_ERROR_WANT_READ)
        return {};
      if (why != SSL_ERROR_ZERO_RETURN)
        return fail(call);
      peer_closed = true;
    }
    return {};
  }

  std::optional<sha256_digest> peer_certificate() const {
    sha256_digest out{};
    const std::uint8_t* hash = nullptr;
    std::size_t size = 0;
    // A server keeps only the hash of the client's certificate; the ticket carries it too.
    SSL_SESSION_get0_peer_sha256(SSL_get_session(ssl), &hash, &size);
    if (size == out.size()) {
      std::copy_n(hash, size, out.begin());
      return out;
    }
    const STACK_OF(CRYPTO_BUFFER)* const chain = SSL_get0_peer_certificates(ssl);
    if (chain == nullptr || sk_CRYPTO_BUFFER_num(chain) == 0)
      return std::nullopt;
    const CRYPTO_BUFFER* const leaf = sk_CRYPTO_BUFFER_value(chain, 0);
    return sha256(der::view(std::span(CRYPTO_BUFFER_data(leaf), CRYPTO_BUFFER_len(leaf))));
  }

  std::array<std::uint8_t, 32> exporter() const {
    std::array<std::uint8_t, 32> out{};
    const int ok = SSL_export_keying_material(ssl, out.data(), out.size(), enrolment_exporter_label,
                                              std::strlen(enrolment_exporter_label), nullptr, 0, 0);
    MUSTER_ASSERT(ok == 1, "every finished handshake has an exporter");
    return out;
  }
};

tls_engine::tls_engine(const server_tls_context& context)
  : state_(std::make_unique<state>(context.native())) {
  SSL_set_accept_state(state_->ssl);
}

tls_engine::tls_engine(const client_tls_context& context, const tls_session_ptr& offer)
  : state_(std::make_unique<state>(context.native())) {
  SSL* const ssl = state_->ssl;
  const auto& rules = rules_of(ssl);
  SSL_set_connect_state(ssl);
  SSL_SESSION* const session = offer != nullptr ? offer->for_client(rules) : nullptr;
  if (session != nullptr)
    SSL_set_session(ssl, session);
  const auto& name = rules.server.host_name;
  if (name.empty())
    return;
  X509_VERIFY_PARAM_set_time(SSL_get0_param(ssl), rules.now_s());
  // Addresses have no place in this extension (RFC 6066, 3); a name with a colon is one.
  const bool address = name.find(':') != std::string::npos ||
                       name.find_first_not_of("0123456789.") == std::string::npos;
  if (!address)
    SSL_set_tlsext_host_name(ssl, name.c_str());
}

tls_engine::~tls_engine() = default;
tls_engine::tls_engine(tls_engine&&) noexcept = default;
tls_engine& tls_engine::operator=(tls_engine&&) noexcept = default;

std::error_code tls_engine::start(std::string& out) {
  if (SSL_is_server(state_->ssl) == 1)
    return {};
  tls_call call{.in = {}, .out = &out};
  const tls_call_scope scope(state_->ssl, call);
  return state_->handshake(call);
}

std::error_code tls_engine::receive(std::span<const std::uint8_t> in, std::string& plain,
                                    std::string& out) {
  if (state_->failed)
    return errc::tls_failed;
  tls_call call{.in = der::view(in), .out = &out};
  const tls_call_scope scope(state_->ssl, call);
  if (!state_->open)
    if (const auto ec = state_->handshake(call))
      return ec;
  return state_->open ? state_->read(call, plain) : std::error_code{};
}

std::error_code tls_engine::send(std::string_view plain, std::string& out) {
  MUSTER_ASSERT(state_->open || state_->failed, "nothing is sent before the handshake is finished");
  if (state_->failed)
    return errc::tls_failed;
  tls_call call{.in = {}, .out = &out};
  const tls_call_scope scope(state_->ssl, call);
  constexpr auto at_once_max = static_cast<std::size_t>(std::numeric_limits<int>::max());
  do {
    const auto size = std::min(plain.size(), at_once_max);
    if (SSL_write(state_->ssl, plain.data(), static_cast<int>(size)) != static_cast<int>(size))
      return state_->fail(call);
    plain.remove_prefix(size);
  } while (!plain.empty());
  return {};
}

void tls_engine::shutdown(std::string& out) {
  if (!state_->open || state_->failed)
    return;
  tls_call call{.in = {}, .out = &out};
  const tls_call_scope scope(state_->ssl, call);
  SSL_shutdown(state_->ssl);
  ERR_clear_error();
}

bool tls_engine::open() const noexcept {
  return state_->open;
}

bool tls_engine::peer_closed() const noexcept {
  return state_->peer_closed;
}

peer_info tls_engine::peer() const {
  MUSTER_ASSERT(state_->open, "nobody has proved anything yet");
  peer_info out;
  out.certificate_sha256 = state_->peer_certificate();
  out.resumed = SSL_session_reused(state_->ssl) == 1;
  const bool stranger = SSL_is_server(state_->ssl) == 1 ? !out.certificate_sha256
                                                        : !rules_of(state_->ssl).proves_itself;
  if (stranger)
    out.exporter = state_->exporter();
  return out;
}

} // namespace muster::net
