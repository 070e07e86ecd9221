#include "net/sealed_box.hpp"

#include "net/der.hpp"

#include <muster/assert.hpp>

#include <openssl/aead.h>
#include <openssl/err.h>
#include <openssl/mem.h>
#include <openssl/rand.h>

namespace muster::net {

namespace {

constexpr std::uint8_t version = 1;
constexpr std::size_t nonce_bytes = 12;
constexpr std::size_t tag_bytes = 16;
constexpr std::size_t head_bytes = 1 + nonce_bytes;

bool prepare(bssl::ScopedEVP_AEAD_CTX& context, const sealed_box::key& secret) {
  return EVP_AEAD_CTX_init(context.get(), EVP_aead_aes_256_gcm(), secret.data(), secret.size(),
                           tag_bytes, nullptr) == 1;
}

std::uint8_t* mutable_bytes(std::string& text) {
  return reinterpret_cast<std::uint8_t*>(text.data());
}

} // namespace

sealed_box::~sealed_box() {
  OPENSSL_cleanse(secret_.data(), secret_.size());
}

std::string sealed_box::seal(std::string_view plain, std::string_view context) const {
  std::string out(head_bytes + plain.size() + tag_bytes, '\0');
  auto* const at = mutable_bytes(out);
  at[0] = version;
  RAND_bytes(at + 1, nonce_bytes);
  bssl::ScopedEVP_AEAD_CTX aead;
  std::size_t written = 0;
  const bool sealed =
    prepare(aead, secret_) &&
    EVP_AEAD_CTX_seal(aead.get(), at + head_bytes, &written, out.size() - head_bytes, at + 1,
                      nonce_bytes, der::bytes(plain), plain.size(), der::bytes(context),
                      context.size()) == 1;
  MUSTER_ASSERT(sealed && written == plain.size() + tag_bytes, "sealing fails for lack of memory only");
  return out;
}

std::optional<std::string> sealed_box::open(std::string_view sealed,
                                            std::string_view context) const {
  if (sealed.size() < overhead_bytes || static_cast<std::uint8_t>(sealed.front()) != version)
    return std::nullopt;
  std::string out(sealed.size() - overhead_bytes, '\0');
  bssl::ScopedEVP_AEAD_CTX aead;
  std::size_t written = 0;
  const bool good =
    prepare(aead, secret_) &&
    EVP_AEAD_CTX_open(aead.get(), mutable_bytes(out), &written, out.size(),
                      der::bytes(sealed.substr(1)), nonce_bytes, der::bytes(sealed.substr(head_bytes)),
                      sealed.size() - head_bytes, der::bytes(context), context.size()) == 1;
  ERR_clear_error();
  return good && written == out.size() ? std::optional(std::move(out)) : std::nullopt;
}

} // namespace muster::net
