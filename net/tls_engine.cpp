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

// One per idle connection, beside what the library holds.
static_assert(sizeof(tls_engine) <= 3 * sizeof(void*));

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

bssl::UniquePtr<SSL> made_from(SSL_CTX* context) {
  bssl::UniquePtr<SSL> out(SSL_new(context));
  MUSTER_ASSERT(out != nullptr, "out of memory");
  SSL_set_shed_handshake_config(out.get(), 1);
  return out;
}

} // namespace

tls_engine::tls_engine(const server_tls_context& context)
  : ssl_(made_from(context.native()).release()) {
  SSL_set_accept_state(ssl_);
}

tls_engine::tls_engine(const client_tls_context& context, const tls_session_ptr& offer)
  : ssl_(made_from(context.native()).release()) {
  SSL* const ssl = ssl_;
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

tls_engine::~tls_engine() {
  SSL_free(ssl_);
}

std::error_code tls_engine::fail(const tls_call& call) {
  failed_ = true;
  return why_failed(ssl_, call);
}

std::error_code tls_engine::refuse(std::uint8_t alert, errc why) {
  failed_ = true;
  open_ = false;
  SSL_send_fatal_alert(ssl_, alert);
  ERR_clear_error();
  return why;
}

std::error_code tls_engine::handshake(tls_call& call) {
  const auto written_before = call.out->size();
  const int result = SSL_do_handshake(ssl_);
  if (result == 1)
    return finish_handshake();
  if (!wants_more(ssl_, result))
    return fail(call);
  if (SSL_is_server(ssl_) == 1 && call.out->size() != written_before)
    decide_tickets();
  return {};
}

/// A server has answered a client hello: whether the client resumes is known, who it is not yet.
/// A stranger gets no ticket (it is of no use to somebody who is about to enrol); verify_client
/// takes this back.
void tls_engine::decide_tickets() {
  if (std::exchange(tickets_decided_, true) || !rules_of(ssl_).wants_client_certificate)
    return;
  if (SSL_session_reused(ssl_) == 0)
    SSL_set_options(ssl_, SSL_OP_NO_TICKET);
}

std::error_code tls_engine::finish_handshake() {
  open_ = true;
  const std::uint8_t* name = nullptr;
  unsigned size = 0;
  SSL_get0_alpn_selected(ssl_, &name, &size);
  const std::string_view selected(reinterpret_cast<const char*>(name), size);
  // Who offers or selects no protocol at all passes the library's own check.
  if (selected != rules_of(ssl_).alpn)
    return refuse(SSL_AD_NO_APPLICATION_PROTOCOL, errc::tls_wrong_alpn);
  return {};
}

std::error_code tls_engine::read(tls_call& call, std::string& plain) {
  const auto buffer = record_buffer();
  // Ends: each turn takes at least one byte of what there is to take, or leaves.
  while (!peer_closed_) {
    const int result = SSL_read(ssl_, buffer.data(), static_cast<int>(buffer.size()));
    if (result > 0) {
      plain.append(buffer.data(), static_cast<std::size_t>(result));
      continue;
    }
    const int why = SSL_get_error(ssl_, result);
    if (why == SSL_ERROR_WANT_READ)
      return {};
    if (why != SSL_ERROR_ZERO_RETURN)
      return fail(call);
    peer_closed_ = true;
  }
  return {};
}

std::optional<sha256_digest> tls_engine::peer_certificate() const {
  sha256_digest out{};
  const std::uint8_t* hash = nullptr;
  std::size_t size = 0;
  // A server keeps only the hash of the client's certificate; the ticket carries it too.
  SSL_SESSION_get0_peer_sha256(SSL_get_session(ssl_), &hash, &size);
  if (size == out.size()) {
    std::copy_n(hash, size, out.begin());
    return out;
  }
  const STACK_OF(CRYPTO_BUFFER)* const chain = SSL_get0_peer_certificates(ssl_);
  if (chain == nullptr || sk_CRYPTO_BUFFER_num(chain) == 0)
    return std::nullopt;
  const CRYPTO_BUFFER* const leaf = sk_CRYPTO_BUFFER_value(chain, 0);
  return sha256(der::view(std::span(CRYPTO_BUFFER_data(leaf), CRYPTO_BUFFER_len(leaf))));
}

std::array<std::uint8_t, 32> tls_engine::exporter() const {
  std::array<std::uint8_t, 32> out{};
  const int ok = SSL_export_keying_material(ssl_, out.data(), out.size(), enrolment_exporter_label,
                                            std::strlen(enrolment_exporter_label), nullptr, 0, 0);
  MUSTER_ASSERT(ok == 1, "every finished handshake has an exporter");
  return out;
}

std::error_code tls_engine::start(std::string& out) {
  if (SSL_is_server(ssl_) == 1)
    return {};
  tls_call call{.in = {}, .out = &out};
  const tls_call_scope scope(ssl_, call);
  return handshake(call);
}

std::error_code tls_engine::receive(std::span<const std::uint8_t> in, std::string& plain,
                                    std::string& out) {
  if (failed_)
    return errc::tls_failed;
  tls_call call{.in = der::view(in), .out = &out};
  const tls_call_scope scope(ssl_, call);
  if (!open_)
    if (const auto ec = handshake(call))
      return ec;
  return open_ ? read(call, plain) : std::error_code{};
}

std::error_code tls_engine::send(std::string_view plain, std::string& out) {
  MUSTER_ASSERT(open_ || failed_, "nothing is sent before the handshake is finished");
  if (failed_)
    return errc::tls_failed;
  tls_call call{.in = {}, .out = &out};
  const tls_call_scope scope(ssl_, call);
  constexpr auto at_once_max = static_cast<std::size_t>(std::numeric_limits<int>::max());
  do {
    const auto size = std::min(plain.size(), at_once_max);
    if (SSL_write(ssl_, plain.data(), static_cast<int>(size)) != static_cast<int>(size))
      return fail(call);
    plain.remove_prefix(size);
  } while (!plain.empty());
  return {};
}

void tls_engine::shutdown(std::string& out) {
  if (!open_ || failed_)
    return;
  tls_call call{.in = {}, .out = &out};
  const tls_call_scope scope(ssl_, call);
  SSL_shutdown(ssl_);
  ERR_clear_error();
}

peer_info tls_engine::peer() const {
  MUSTER_ASSERT(open_, "nobody has proved anything yet");
  peer_info out;
  out.certificate_sha256 = peer_certificate();
  out.encrypted = true;
  out.resumed = SSL_session_reused(ssl_) == 1;
  const bool stranger = SSL_is_server(ssl_) == 1 ? !out.certificate_sha256
                                                        : !rules_of(ssl_).proves_itself;
  if (stranger)
    out.exporter = exporter();
  return out;
}

} // namespace muster::net
