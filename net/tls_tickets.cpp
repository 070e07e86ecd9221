#include "net/tls_internal.hpp"

#include <openssl/aead.h>
#include <openssl/err.h>
#include <openssl/rand.h>

#include <algorithm>
#include <array>

namespace muster::net {

namespace {

// A ticket: the beginning of its key's name, a random nonce, the sealed session. It travels twice
// per connection, so it is short; were two keys ever named alike, one would open nothing and a full
// handshake would follow. Under one key some 10^8 tickets are made at most (a million clients every
// 15 minutes, one day), far from where random nonces of 96 bits begin to repeat.
constexpr std::size_t name_bytes = 4;
constexpr std::size_t nonce_bytes = 12;
constexpr std::size_t tag_bytes = 16;
constexpr std::size_t overhead_bytes = name_bytes + nonce_bytes + tag_bytes;

std::size_t max_overhead(SSL*) {
  return overhead_bytes;
}

bool ready(bssl::ScopedEVP_AEAD_CTX& aead, const ticket_keys::key& key) {
  return EVP_AEAD_CTX_init(aead.get(), EVP_aead_aes_256_gcm(), key.secret.data(), key.secret.size(),
                           tag_bytes, nullptr) == 1;
}

int seal(SSL* ssl, std::uint8_t* out, std::size_t* out_bytes, std::size_t out_bytes_max,
         const std::uint8_t* in, std::size_t in_bytes) {
  const auto keys = rules_of(ssl).tickets->keys();
  bssl::ScopedEVP_AEAD_CTX aead;
  if (out_bytes_max < in_bytes + overhead_bytes || !ready(aead, keys->current))
    return 0;
  std::copy_n(keys->current.name.begin(), name_bytes, out);
  std::uint8_t* const nonce = out + name_bytes;
  std::uint8_t* const sealed = nonce + nonce_bytes;
  std::size_t sealed_bytes = 0;
  if (RAND_bytes(nonce, nonce_bytes) != 1 ||
      EVP_AEAD_CTX_seal(aead.get(), sealed, &sealed_bytes, in_bytes + tag_bytes, nonce, nonce_bytes,
                        in, in_bytes, out, name_bytes) != 1)
    return 0;
  *out_bytes = name_bytes + nonce_bytes + sealed_bytes;
  return 1;
}

/// A ticket that cannot be opened is no error: a full handshake follows.
ssl_ticket_aead_result_t open(SSL* ssl, std::uint8_t* out, std::size_t* out_bytes,
                              std::size_t out_bytes_max, const std::uint8_t* in,
                              std::size_t in_bytes) {
  if (in_bytes < overhead_bytes)
    return ssl_ticket_aead_ignore_ticket;
  const auto keys = rules_of(ssl).tickets->keys();
  const auto named = [in](const ticket_keys::key& key) {
    return std::equal(in, in + name_bytes, key.name.begin());
  };
  const ticket_keys::key* key = nullptr;
  if (named(keys->current))
    key = &keys->current;
  else if (keys->previous && named(*keys->previous))
    key = &*keys->previous;
  bssl::ScopedEVP_AEAD_CTX aead;
  if (key == nullptr || !ready(aead, *key))
    return ssl_ticket_aead_ignore_ticket;
  const std::uint8_t* const nonce = in + name_bytes;
  const std::uint8_t* const sealed = nonce + nonce_bytes;
  if (EVP_AEAD_CTX_open(aead.get(), out, out_bytes, out_bytes_max, nonce, nonce_bytes, sealed,
                        in_bytes - name_bytes - nonce_bytes, in, name_bytes) == 1)
    return ssl_ticket_aead_success;
  ERR_clear_error();
  return ssl_ticket_aead_ignore_ticket;
}

} // namespace

const SSL_TICKET_AEAD_METHOD ticket_method{max_overhead, seal, open};

} // namespace muster::net
