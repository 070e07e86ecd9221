#include "net/tls_context.hpp"

#include "net/der.hpp"
#include "net/tls_internal.hpp"

#include <muster/assert.hpp>

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/nid.h>
#include <openssl/pem.h>

#include <array>
#include <string_view>
#include <utility>

namespace muster::net {

namespace {

/// A peer's certificate message; with it the library holds at most 16 KB of an unfinished message.
constexpr std::size_t certificate_list_bytes_max = 16 * 1024;
constexpr std::size_t chain_certificates_max = 8;
constexpr std::size_t chain_pem_bytes_max = 64 * 1024;

void free_rules(void*, void* rules, CRYPTO_EX_DATA*, int, long, void*) {
  delete static_cast<const tls_rules*>(rules);
}

int rules_index() {
  static const int index = SSL_CTX_get_ex_new_index(0, nullptr, nullptr, nullptr, free_rules);
  return index;
}

int no_passphrase(char*, int, int, void*) {
  return 0;
}

bssl::UniquePtr<BIO> reader_of(std::string_view pem) {
  return bssl::UniquePtr<BIO>(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
}

/// Every certificate in the text, as DER, in order.
std::vector<std::string> certificates_in(std::string_view pem) {
  std::vector<std::string> out;
  const auto bio = reader_of(pem);
  while (out.size() < chain_certificates_max) {
    char* name = nullptr;
    char* header = nullptr;
    std::uint8_t* data = nullptr;
    long size = 0;
    if (PEM_read_bio(bio.get(), &name, &header, &data, &size) != 1)
      break;
    const bssl::UniquePtr<char> owned_name(name);
    const bssl::UniquePtr<char> owned_header(header);
    const bssl::UniquePtr<std::uint8_t> owned_data(data);
    if (std::string_view(name) == "CERTIFICATE")
      out.emplace_back(reinterpret_cast<const char*>(data), static_cast<std::size_t>(size));
  }
  ERR_clear_error();
  return out;
}

int select_protocol(SSL* ssl, const std::uint8_t** out, std::uint8_t* out_bytes,
                    const std::uint8_t* offered, unsigned offered_bytes, void*) {
  const std::string_view ours = rules_of(ssl).alpn;
  CBS list;
  CBS_init(&list, offered, offered_bytes);
  while (CBS_len(&list) > 0) {
    CBS name;
    if (CBS_get_u8_length_prefixed(&list, &name) != 1)
      break;
    if (der::view(name) == ours) {
      *out = CBS_data(&name);
      *out_bytes = static_cast<std::uint8_t>(CBS_len(&name));
      return SSL_TLSEXT_ERR_OK;
    }
  }
  return SSL_TLSEXT_ERR_ALERT_FATAL;
}

std::error_code show_operators_chain(SSL_CTX* context, const server_tls_options& options) {
  if (options.chain_pem.size() > chain_pem_bytes_max ||
      options.key_pem.size() > chain_pem_bytes_max)
    return errc::key_file_bad;
  const auto chain = certificates_in(options.chain_pem);
  const auto bio = reader_of(options.key_pem.empty() ? options.chain_pem : options.key_pem);
  const bssl::UniquePtr<EVP_PKEY> key(
    PEM_read_bio_PrivateKey(bio.get(), nullptr, no_passphrase, nullptr));
  const bool shown = key != nullptr && !chain.empty() && show_chain(context, chain, key.get());
  ERR_clear_error();
  return shown ? std::error_code{} : make_error_code(errc::key_file_bad);
}

/// Only ECDSA with P-256, for what we sign and what we accept.
void allow_only_our_signatures(SSL_CTX* context) {
  constexpr std::array<std::uint16_t, 1> ours{SSL_SIGN_ECDSA_SECP256R1_SHA256};
  SSL_CTX_set_verify_algorithm_prefs(context, ours.data(), ours.size());
  SSL_CTX_set_signing_algorithm_prefs(context, ours.data(), ours.size());
}

std::error_code show_our_chain(SSL_CTX* context, const server_tls_options& options) {
  if (!options.key || options.leaf.empty() || options.authority.empty())
    return errc::certificate_missing;
  if (options.leaf.holder_role() != role::server)
    return errc::certificate_wrong_role;
  if (!options.leaf.issued_by(options.authority))
    return errc::certificate_foreign;
  const std::array chain{options.leaf.der(), options.authority.der()};
  const bool shown =
    options.key->has_private_part() && show_chain(context, chain, options.key->native());
  ERR_clear_error();
  allow_only_our_signatures(context);
  return shown ? std::error_code{} : make_error_code(errc::key_file_bad);
}

/// A ticket is good for the port (protocol) and the authority it was made under, nothing else.
void bind_tickets(SSL_CTX* context, const server_tls_options& options) {
  std::string under = options.alpn;
  if (!options.authority.empty())
    under += der::view(options.authority.spki_sha256());
  const auto id = sha256(under);
  SSL_CTX_set_session_id_context(context, id.data(), 8);
}

} // namespace

bool running_on_boringssl() {
  return std::string_view(OpenSSL_version(OPENSSL_VERSION)) == "BoringSSL";
}

void attach_rules(SSL_CTX* context, std::unique_ptr<const tls_rules> rules) {
  const int ok = SSL_CTX_set_ex_data(context, rules_index(), const_cast<tls_rules*>(rules.get()));
  MUSTER_ASSERT(ok == 1, "out of memory");
  static_cast<void>(rules.release());
}

const tls_rules& rules_of(const SSL_CTX* context) {
  return *static_cast<const tls_rules*>(SSL_CTX_get_ex_data(context, rules_index()));
}

const tls_rules& rules_of(const SSL* ssl) {
  return rules_of(SSL_get_SSL_CTX(ssl));
}

bssl::UniquePtr<SSL_CTX> make_context(const SSL_METHOD* method) {
  bssl::UniquePtr<SSL_CTX> context(SSL_CTX_new(method));
  MUSTER_ASSERT(context != nullptr, "out of memory");
  // Without these the library would accept TLS 1.0.
  SSL_CTX_set_min_proto_version(context.get(), TLS1_3_VERSION);
  SSL_CTX_set_max_proto_version(context.get(), TLS1_3_VERSION);
  constexpr std::array groups{NID_X25519, NID_X9_62_prime256v1};
  SSL_CTX_set1_curves(context.get(), groups.data(), groups.size());
  SSL_CTX_set_early_data_enabled(context.get(), 0);
  SSL_CTX_set_max_cert_list(context.get(), certificate_list_bytes_max);
  SSL_CTX_set_session_cache_mode(context.get(), SSL_SESS_CACHE_OFF);
  return context;
}

bool show_chain(SSL_CTX* context, std::span<const std::string> chain_der, EVP_PKEY* key) {
  std::vector<bssl::UniquePtr<CRYPTO_BUFFER>> owned;
  std::vector<CRYPTO_BUFFER*> chain;
  for (const auto& der : chain_der) {
    owned.emplace_back(CRYPTO_BUFFER_new(der::bytes(der), der.size(), nullptr));
    chain.push_back(owned.back().get());
  }
  return SSL_CTX_set_chain_and_key(context, chain.data(), chain.size(), key, nullptr) == 1;
}

std::shared_ptr<const server_tls_context>
server_tls_context::make(const server_tls_options& options, std::error_code& ec) {
  MUSTER_ASSERT(!options.alpn.empty() && options.alpn.size() <= 255, "a port has a protocol");
  // Certificates stay as bytes: our own check reads what it needs, and nothing builds X509 objects.
  auto context = make_context(TLS_with_buffers_method());
  ec = options.chain_pem.empty() ? show_our_chain(context.get(), options)
                                 : show_operators_chain(context.get(), options);
  if (!ec && options.ask_for_client_certificate && options.authority.empty())
    ec = errc::certificate_missing;
  if (ec)
    return nullptr;
  if (options.ask_for_client_certificate) {
    SSL_CTX_set_custom_verify(context.get(), SSL_VERIFY_PEER, verify_client);
    SSL_CTX_set_retain_only_sha256_of_client_certs(context.get(), 1);
  }
  SSL_CTX_set_alpn_select_cb(context.get(), select_protocol, nullptr);
  if (options.tickets != nullptr) {
    SSL_CTX_set_num_tickets(context.get(), 1);
    SSL_CTX_set_ticket_aead_method(context.get(), &ticket_method);
    bind_tickets(context.get(), options);
  } else {
    SSL_CTX_set_options(context.get(), SSL_OP_NO_TICKET);
  }
  auto rules = std::make_unique<tls_rules>();
  rules->alpn = options.alpn;
  rules->wants_client_certificate = options.ask_for_client_certificate;
  rules->authority = options.authority;
  rules->tickets = options.tickets;
  attach_rules(context.get(), std::move(rules));
  return std::shared_ptr<const server_tls_context>(new server_tls_context(context.release()));
}

server_tls_context::~server_tls_context() {
  SSL_CTX_free(native_);
}

} // namespace muster::net
