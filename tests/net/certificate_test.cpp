#include "net/certificate.hpp"

#include "net/der.hpp"
#include "tests/net/tls_world.hpp"

#include <doctest/doctest.h>
#include <openssl/nid.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <array>
#include <string>

using namespace muster::net;
using namespace muster::net::testing;

namespace {

constexpr std::int64_t now_s = 1'750'000'000;

bssl::UniquePtr<X509> x509_of(const certificate& which) {
  const auto der = which.der();
  const auto* at = der::bytes(der);
  return bssl::UniquePtr<X509>(d2i_X509(nullptr, &at, static_cast<long>(der.size())));
}

/// What a standard verifier thinks of the chain.
int standard_verdict(const certificate& leaf, const certificate& authority, const char* purpose) {
  const bssl::UniquePtr<X509_STORE> store(X509_STORE_new());
  X509_STORE_add_cert(store.get(), x509_of(authority).get());
  const bssl::UniquePtr<X509_STORE_CTX> context(X509_STORE_CTX_new());
  const auto subject = x509_of(leaf);
  X509_STORE_CTX_init(context.get(), store.get(), subject.get(), nullptr);
  X509_STORE_CTX_set_default(context.get(), purpose);
  X509_VERIFY_PARAM_set_time(X509_STORE_CTX_get0_param(context.get()), now_s);
  X509_verify_cert(context.get());
  return X509_STORE_CTX_get_error(context.get());
}

} // namespace

TEST_CASE("an authority issues certificates that say role, id and validity") {
  const auto authority = certificate_authority::make(id_of(7), now_s);
  const auto key = key_pair::generate();
  const auto leaf = authority.issue(key, role::device, id_of(9), now_s, device_lifetime);
  CHECK(leaf.holder_role() == role::device);
  CHECK(leaf.holder_id() == id_of(9));
  CHECK(leaf.spki_sha256() == key.spki_sha256());
  CHECK(leaf.not_before_s() == now_s - 2 * day_s);
  CHECK(leaf.not_after_s() == now_s + 365 * day_s);
  CHECK(leaf.issued_by(authority.self()));
  CHECK_FALSE(leaf.public_key().has_private_part());

  const auto server = authority.issue(key, role::server, id_of(7), now_s, server_lifetime);
  CHECK(server.holder_role() == role::server);
  CHECK(server.not_after_s() == now_s + 90 * day_s);

  CHECK(authority.self().holder_role() == role::authority);
  CHECK(authority.self().holder_id() == id_bytes{});
  CHECK(authority.self().issued_by(authority.self()));
  CHECK(authority.self().not_after_s() > now_s + 19 * 365 * day_s);
}

TEST_CASE("a certificate of another authority is not issued by ours") {
  const auto ours = certificate_authority::make(id_of(7), now_s);
  const auto theirs = certificate_authority::make(id_of(7), now_s);
  const auto key = key_pair::generate();
  const auto leaf = theirs.issue(key, role::device, id_of(9), now_s, device_lifetime);
  CHECK_FALSE(leaf.issued_by(ours.self()));
  // A device's key signs for nobody.
  const auto device = ours.issue(key, role::device, id_of(9), now_s, device_lifetime);
  CHECK_FALSE(device.issued_by(device));
  CHECK_FALSE(leaf.issued_by(device));
}

TEST_CASE("other verifiers accept what we issue, for its role only") {
  const auto authority = certificate_authority::make(id_of(7), now_s);
  const auto key = key_pair::generate();
  const auto device = authority.issue(key, role::device, id_of(9), now_s, device_lifetime);
  const auto server = authority.issue(key, role::server, id_of(7), now_s, server_lifetime);
  CHECK(standard_verdict(device, authority.self(), "ssl_client") == X509_V_OK);
  CHECK(standard_verdict(server, authority.self(), "ssl_server") == X509_V_OK);
  CHECK(standard_verdict(device, authority.self(), "ssl_server") == X509_V_ERR_INVALID_PURPOSE);
  CHECK(standard_verdict(server, authority.self(), "ssl_client") == X509_V_ERR_INVALID_PURPOSE);
  const auto other = certificate_authority::make(id_of(8), now_s);
  CHECK(standard_verdict(device, other.self(), "ssl_client") != X509_V_OK);
}

TEST_CASE("a certificate survives its two written forms") {
  const auto authority = certificate_authority::make(id_of(7), now_s);
  std::error_code ec;
  const auto again = certificate::from_pem(authority.self().pem(), ec);
  REQUIRE(again.has_value());
  CHECK_FALSE(ec);
  CHECK(again->sha256() == authority.self().sha256());
  CHECK(again->sha256() == sha256(authority.self().der()));
  const auto leaf =
    authority.issue(key_pair::generate(), role::server, id_of(7), now_s, server_lifetime);
  CHECK(certificate::from_der(leaf.der(), ec)->der() == leaf.der());
  MESSAGE("bytes of a leaf: " << leaf.der().size()
                              << ", of the authority's own: " << authority.self().der().size());
}

TEST_CASE("every truncation of a certificate and every longer text is refused") {
  const auto authority = certificate_authority::make(id_of(7), now_s);
  const auto der =
    authority.issue(key_pair::generate(), role::device, id_of(9), now_s, device_lifetime).der();
  std::error_code ec;
  for (std::size_t size = 0; size < der.size(); ++size) {
    CHECK_FALSE(certificate::from_der(der.substr(0, size), ec).has_value());
    CHECK(ec == errc::certificate_malformed);
  }
  CHECK_FALSE(certificate::from_der(der + '\0', ec).has_value());
  CHECK_FALSE(certificate::from_der(std::string(5'000, '0'), ec).has_value());
  CHECK_FALSE(certificate::from_pem("-----BEGIN CERTIFICATE-----\n", ec).has_value());
  CHECK_FALSE(certificate::from_pem(key_pair::generate().private_pem(), ec).has_value());
}

TEST_CASE("no changed byte of a certificate passes for one issued by us") {
  const auto authority = certificate_authority::make(id_of(7), now_s);
  const auto der =
    authority.issue(key_pair::generate(), role::device, id_of(9), now_s, device_lifetime).der();
  std::error_code ec;
  for (std::size_t at = 0; at < der.size(); ++at) {
    auto changed = der;
    changed[at] = static_cast<char>(changed[at] ^ 0x04);
    const auto parsed = certificate::from_der(changed, ec);
    const bool accepted = parsed && parsed->issued_by(authority.self());
    CHECK_FALSE(accepted);
  }
}

TEST_CASE("validity beyond 2049 is written in the long form") {
  constexpr std::int64_t in_2040_s = 2'209'000'000;
  const auto authority = certificate_authority::make(id_of(7), in_2040_s);
  CHECK(authority.self().not_before_s() == in_2040_s - 2 * day_s);
  CHECK(authority.self().not_after_s() == in_2040_s + 20 * 365 * day_s);
  CHECK(standard_verdict(authority.self(), authority.self(), "ssl_server") != X509_V_OK);
}

TEST_CASE("times are the ones that calendars know") {
  const auto read = [](std::string_view text, char tag) {
    std::string element{tag, static_cast<char>(text.size())};
    element += text;
    CBS in = der::reader(element);
    return der::take_time(in);
  };
  constexpr char utc = 0x17;
  constexpr char generalized = 0x18;
  CHECK(read("700101000000Z", utc) == 0);
  CHECK(read("20000229120000Z", generalized) == 951'825'600);
  CHECK(read("491231235959Z", utc) == 2'524'607'999);
  CHECK(read("500101000000Z", utc) == -631'152'000);
  CHECK_FALSE(read("010229120000Z", utc).has_value());
  CHECK_FALSE(read("011301120000Z", utc).has_value());
  CHECK_FALSE(read("010101240000Z", utc).has_value());
  CHECK_FALSE(read("010101006000Z", utc).has_value());
  CHECK_FALSE(read("0101010000Z", utc).has_value());
  CHECK_FALSE(read("010101000000+", utc).has_value());
  CHECK_FALSE(read("0-0101000000Z", utc).has_value());
}

TEST_CASE("a request carries the key of whoever signed it") {
  const auto key = key_pair::generate();
  const auto csr = make_csr(key);
  CHECK(csr.size() < 260);
  std::error_code ec;
  const auto found = key_of_csr(csr, ec);
  REQUIRE(found.has_value());
  CHECK_FALSE(ec);
  CHECK(found->spki_sha256() == key.spki_sha256());
  CHECK_FALSE(found->has_private_part());
}

TEST_CASE("other parsers read our requests") {
  const auto csr = make_csr(key_pair::generate());
  const auto* at = der::bytes(csr);
  const bssl::UniquePtr<X509_REQ> request(
    d2i_X509_REQ(nullptr, &at, static_cast<long>(csr.size())));
  REQUIRE(request != nullptr);
  const bssl::UniquePtr<EVP_PKEY> key(X509_REQ_get_pubkey(request.get()));
  CHECK(X509_REQ_verify(request.get(), key.get()) == 1);
}

TEST_CASE("a request changed or cut anywhere is refused") {
  const auto csr = make_csr(key_pair::generate());
  std::error_code ec;
  for (std::size_t size = 0; size < csr.size(); ++size)
    CHECK_FALSE(key_of_csr(csr.substr(0, size), ec).has_value());
  for (std::size_t at = 0; at < csr.size(); ++at) {
    auto changed = csr;
    changed[at] = static_cast<char>(changed[at] ^ 0x10);
    CHECK_FALSE(key_of_csr(changed, ec).has_value());
    CHECK(ec == errc::malformed);
  }
  CHECK_FALSE(key_of_csr(csr + "x", ec).has_value());
  CHECK_FALSE(key_of_csr(std::string(3'000, '\x30'), ec).has_value());
}

TEST_CASE("a request for somebody else's key is refused") {
  // The body names one key, the signature is by another.
  const auto mine = make_csr(key_pair::generate());
  auto stolen = mine;
  const auto victim = key_pair::generate();
  const auto spki = victim.spki();
  const auto at = mine.find(spki.substr(0, 26));
  REQUIRE(at != std::string::npos);
  stolen.replace(at, spki.size(), spki);
  std::error_code ec;
  CHECK_FALSE(key_of_csr(stolen, ec).has_value());
}

TEST_CASE("a key survives its PEM and signs") {
  const auto key = key_pair::generate();
  std::error_code ec;
  const auto again = key_pair::from_pem(key.private_pem(), ec);
  REQUIRE(again.has_value());
  const auto signature = again->sign("message");
  CHECK(key.verify("message", signature));
  CHECK_FALSE(key.verify("Message", signature));
  CHECK_FALSE(key.verify("message", signature.substr(1)));
  CHECK_FALSE(key.verify("message", ""));
  CHECK_FALSE(key_pair::generate().verify("message", signature));
}

TEST_CASE("keys of other kinds and texts that are none are refused") {
  const auto refused = [](std::string_view pem) {
    std::error_code ec;
    const bool read = key_pair::from_pem(pem, ec).has_value();
    return !read && ec == errc::key_file_bad;
  };
  CHECK(refused(""));
  CHECK(refused("-----BEGIN PRIVATE KEY-----\n"));
  CHECK(refused(std::string(100'000, 'x')));
  // P-384, and an encrypted key, which must not make anybody ask for a passphrase.
  CHECK(refused("-----BEGIN PRIVATE KEY-----\n"
                "MIG2AgEAMBAGByqGSM49AgEGBSuBBAAiBIGeMIGbAgEBBDAmCdRSyuipuyCi6c/D\n"
                "-----END PRIVATE KEY-----\n"));
  CHECK(refused("-----BEGIN EC PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\n"
                "DEK-Info: AES-128-CBC,00000000000000000000000000000000\n\n"
                "AAAAAAAAAAAAAAAAAAAAAA==\n-----END EC PRIVATE KEY-----\n"));
}

TEST_CASE("hexadecimal goes there and back") {
  const std::array<std::uint8_t, 4> data{0x00, 0x9f, 0xa0, 0xff};
  CHECK(to_hex(data) == "009fa0ff");
  CHECK(from_hex("009fA0fF") == std::string("\x00\x9f\xa0\xff", 4));
  CHECK(from_hex("") == "");
  CHECK_FALSE(from_hex("0").has_value());
  CHECK_FALSE(from_hex("0g").has_value());
  CHECK_FALSE(from_hex("0 ").has_value());
}

TEST_CASE("equality in constant time is equality") {
  CHECK(equal_in_constant_time("", ""));
  CHECK(equal_in_constant_time("secret", "secret"));
  CHECK_FALSE(equal_in_constant_time("secret", "secreT"));
  CHECK_FALSE(equal_in_constant_time("secret", "secre"));
}
