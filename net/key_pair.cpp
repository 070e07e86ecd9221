#include "net/certificate.hpp"
#include "net/der.hpp"

#include <muster/assert.hpp>

#include <openssl/bio.h>
#include <openssl/ec.h>
#include <openssl/ec_key.h>
#include <openssl/ecdsa.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/mem.h>
#include <openssl/nid.h>
#include <openssl/pem.h>

namespace muster::net {

namespace {

constexpr std::size_t spki_bytes = 91;
constexpr std::size_t pem_bytes_max = 16 * 1024;

using pkey_ptr = std::shared_ptr<EVP_PKEY>;

pkey_ptr own(EVP_PKEY* key) {
  return {key, EVP_PKEY_free};
}

const EC_KEY* p256(const EVP_PKEY* key) {
  const EC_KEY* ec = key != nullptr ? EVP_PKEY_get0_EC_KEY(key) : nullptr;
  const bool ours =
    ec != nullptr && EC_GROUP_get_curve_name(EC_KEY_get0_group(ec)) == NID_X9_62_prime256v1;
  return ours ? ec : nullptr;
}

/// Without this a PEM with a passphrase would make the library ask on the terminal.
int no_passphrase(char*, int, int, void*) {
  return 0;
}

} // namespace

key_pair key_pair::generate() {
  const bssl::UniquePtr<EC_KEY> ec(EC_KEY_new_by_curve_name(NID_X9_62_prime256v1));
  MUSTER_ASSERT(ec != nullptr && EC_KEY_generate_key(ec.get()) == 1, "no key could be made");
  auto key = own(EVP_PKEY_new());
  MUSTER_ASSERT(key != nullptr && EVP_PKEY_set1_EC_KEY(key.get(), ec.get()) == 1,
                "no key could be made");
  return key_pair(std::move(key));
}

std::optional<key_pair> key_pair::from_pem(std::string_view pem, std::error_code& ec) {
  ec = errc::key_file_bad;
  if (pem.size() > pem_bytes_max)
    return std::nullopt;
  const bssl::UniquePtr<BIO> bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  auto key = own(PEM_read_bio_PrivateKey(bio.get(), nullptr, no_passphrase, nullptr));
  ERR_clear_error();
  const EC_KEY* const curve_key = p256(key.get());
  if (curve_key == nullptr || EC_KEY_check_key(curve_key) != 1) {
    ERR_clear_error();
    return std::nullopt;
  }
  ec.clear();
  return key_pair(std::move(key));
}

std::optional<key_pair> key_pair::from_spki(std::string_view der) {
  if (der.size() != spki_bytes)
    return std::nullopt;
  CBS in = der::reader(der);
  auto key = own(EVP_parse_public_key(&in));
  ERR_clear_error();
  if (p256(key.get()) == nullptr || !der::at_end(in))
    return std::nullopt;
  return key_pair(std::move(key));
}

std::string key_pair::spki() const {
  der::writer out;
  MUSTER_ASSERT(EVP_marshal_public_key(out.root(), key_.get()) == 1, "a P-256 key has a DER form");
  return out.finish();
}

std::string key_pair::private_pem() const {
  MUSTER_ASSERT(has_private_part(), "only a key pair with its private half can be written");
  const bssl::UniquePtr<BIO> bio(BIO_new(BIO_s_mem()));
  const int ok =
    PEM_write_bio_PKCS8PrivateKey(bio.get(), key_.get(), nullptr, nullptr, 0, nullptr, nullptr);
  MUSTER_ASSERT(ok == 1, "a P-256 key has a PEM form");
  const std::uint8_t* data = nullptr;
  std::size_t size = 0;
  BIO_mem_contents(bio.get(), &data, &size);
  return std::string(reinterpret_cast<const char*>(data), size);
}

bool key_pair::has_private_part() const {
  const EC_KEY* const ec = p256(key_.get());
  return ec != nullptr && EC_KEY_get0_private_key(ec) != nullptr;
}

sha256_digest key_pair::spki_sha256() const {
  return sha256(spki());
}

std::string key_pair::sign(std::string_view message) const {
  MUSTER_ASSERT(has_private_part(), "only a key pair with its private half signs");
  const auto digest = sha256(message);
  EC_KEY* const ec = EVP_PKEY_get0_EC_KEY(key_.get());
  std::string signature(ECDSA_size(ec), '\0');
  unsigned size = 0;
  const int ok = ECDSA_sign(0, digest.data(), digest.size(),
                            reinterpret_cast<std::uint8_t*>(signature.data()), &size, ec);
  MUSTER_ASSERT(ok == 1, "signing with a good key does not fail");
  signature.resize(size);
  return signature;
}

bool key_pair::verify(std::string_view message, std::string_view signature) const {
  const auto digest = sha256(message);
  const bool good = ECDSA_verify(0, digest.data(), digest.size(), der::bytes(signature),
                                 signature.size(), EVP_PKEY_get0_EC_KEY(key_.get())) == 1;
  if (!good)
    ERR_clear_error();
  return good;
}

} // namespace muster::net
