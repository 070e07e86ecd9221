#include "net/der.hpp"
#include "net/tls_context.hpp"
#include "net/tls_internal.hpp"

#include <muster/assert.hpp>

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include <array>
#include <chrono>
#include <cstdlib>
#include <limits>
#include <utility>

namespace muster::net {

namespace {

/// Where Debian and its relatives keep the system's authorities, unless SSL_CERT_FILE says
/// otherwise.
constexpr const char* system_trust_file = "/etc/ssl/certs/ca-certificates.crt";

std::int64_t machine_time_s() {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return std::chrono::duration_cast<std::chrono::seconds>(now).count();
}

std::int64_t end_of_server_certificate(const SSL* ssl) {
  const STACK_OF(CRYPTO_BUFFER)* const chain = SSL_get0_peer_certificates(ssl);
  if (chain == nullptr || sk_CRYPTO_BUFFER_num(chain) == 0)
    return 0;
  const CRYPTO_BUFFER* const leaf = sk_CRYPTO_BUFFER_value(chain, 0);
  std::error_code ec;
  const auto parsed = certificate::from_der(
    der::view(std::span(CRYPTO_BUFFER_data(leaf), CRYPTO_BUFFER_len(leaf))), ec);
  // Somebody else's kind (by host name): the session's own lifetime of days has to do.
  return parsed ? parsed->not_after_s() : std::numeric_limits<std::int64_t>::max();
}

int keep_session(SSL* ssl, SSL_SESSION* session) {
  const auto& rules = rules_of(ssl);
  // Returning 1 makes the session ours.
  rules.on_session(
    std::make_shared<tls_session>(session, rules.scope, end_of_server_certificate(ssl)));
  return 1;
}

/// Names everything that a full handshake would have checked or shown.
sha256_digest scope_of(const client_tls_options& options) {
  const auto& server = options.server;
  std::string text = options.alpn;
  text += server.authority_pin ? 'p' : '-';
  if (server.authority_pin)
    text += der::view(*server.authority_pin);
  text += server.server_id ? 'i' : '-';
  if (server.server_id)
    text += der::view(*server.server_id);
  text += options.leaf ? 'c' : '-';
  if (options.leaf)
    text += der::view(options.leaf->sha256());
  text += std::to_string(server.host_name.size()) + server.host_name;
  text += der::view(sha256(server.trust_pem));
  return sha256(text);
}

bool trust_these(SSL_CTX* context, const std::string& pem) {
  X509_STORE* const store = SSL_CTX_get_cert_store(context);
  const bssl::UniquePtr<BIO> bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  int count = 0;
  while (const bssl::UniquePtr<X509> authority{
    PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr)}) {
    if (X509_STORE_add_cert(store, authority.get()) != 1)
      return false;
    ++count;
  }
  return count > 0;
}

/// Standard verification, for chains that are not of our kind.
std::error_code trust_host(SSL_CTX* context, const server_expectation& server) {
  bool trusted = false;
  if (server.trust_pem.empty()) {
    const char* const named = std::getenv("SSL_CERT_FILE");
    trusted = SSL_CTX_load_verify_locations(context, named != nullptr ? named : system_trust_file,
                                            nullptr) == 1;
  } else {
    trusted = trust_these(context, server.trust_pem);
  }
  X509_VERIFY_PARAM* const parameters = SSL_CTX_get0_param(context);
  const auto& name = server.host_name;
  const bool named = X509_VERIFY_PARAM_set1_ip_asc(parameters, name.c_str()) == 1 ||
                     X509_VERIFY_PARAM_set1_host(parameters, name.data(), name.size()) == 1;
  ERR_clear_error();
  SSL_CTX_set_verify(context, SSL_VERIFY_PEER, nullptr);
  return trusted && named ? std::error_code{} : make_error_code(errc::key_file_bad);
}

void offer_protocol(SSL_CTX* context, const std::string& name) {
  const auto wire = static_cast<char>(name.size()) + name;
  // Returns zero on success.
  const int failed =
    SSL_CTX_set_alpn_protos(context, der::bytes(wire), static_cast<unsigned>(wire.size()));
  MUSTER_ASSERT(failed == 0, "out of memory");
}

} // namespace

std::shared_ptr<const client_tls_context>
client_tls_context::make(const client_tls_options& options, std::error_code& ec) {
  MUSTER_ASSERT(!options.alpn.empty() && options.alpn.size() <= 255, "a client speaks a protocol");
  MUSTER_ASSERT(options.key.has_value() == options.leaf.has_value(),
                "a client proves itself with key and certificate, or not at all");
  ec.clear();
  const bool by_host_name = !options.server.host_name.empty();
  auto context = make_context(by_host_name ? TLS_method() : TLS_with_buffers_method());
  if (by_host_name) {
    ec = trust_host(context.get(), options.server);
  } else {
    // Every kind of signature is offered, so that a server with another kind of certificate gets as
    // far as our verification, which can say what is wrong.
    SSL_CTX_set_custom_verify(context.get(), SSL_VERIFY_PEER, verify_server);
  }
  if (!ec && options.leaf) {
    const std::array chain{options.leaf->der()};
    if (!options.key->has_private_part() ||
        !show_chain(context.get(), chain, options.key->native()))
      ec = errc::key_file_bad;
    ERR_clear_error();
  }
  if (ec)
    return nullptr;
  offer_protocol(context.get(), options.alpn);
  if (options.on_session) {
    SSL_CTX_set_session_cache_mode(context.get(),
                                   SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
    SSL_CTX_sess_set_new_cb(context.get(), keep_session);
  }
  auto rules = std::make_unique<tls_rules>();
  rules->alpn = options.alpn;
  rules->server = options.server;
  rules->now_s = options.now_s ? options.now_s : machine_time_s;
  rules->on_authority = options.on_authority;
  rules->on_session = options.on_session;
  rules->proves_itself = options.leaf.has_value();
  rules->scope = scope_of(options);
  attach_rules(context.get(), std::move(rules));
  return std::shared_ptr<const client_tls_context>(new client_tls_context(context.release()));
}

client_tls_context::~client_tls_context() {
  SSL_CTX_free(native_);
}

} // namespace muster::net
