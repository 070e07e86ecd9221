#include "net/certificate.hpp"
#include "net/der.hpp"

#include <muster/assert.hpp>

#include <array>

namespace muster::net {

namespace {

constexpr std::chrono::hours authority_lifetime{24 * 365 * 20};

constexpr unsigned tag_version = CBS_ASN1_CONSTRUCTED | CBS_ASN1_CONTEXT_SPECIFIC | 0;
constexpr unsigned tag_extensions = CBS_ASN1_CONSTRUCTED | CBS_ASN1_CONTEXT_SPECIFIC | 3;
constexpr unsigned tag_key_id = CBS_ASN1_CONTEXT_SPECIFIC | 0;
constexpr unsigned tag_uri = CBS_ASN1_CONTEXT_SPECIFIC | 6;

/// What differs between the certificates we write.
struct contents {
  role holder = role::device;
  std::string issuer;  ///< DER Name
  std::string subject; ///< DER Name
  std::string uri;
  std::int64_t not_before_s = 0;
  std::int64_t not_after_s = 0;
};

/// Names a key among several CAs of one name (RFC 7093, method 1).
std::string key_id(const key_pair& key) {
  const auto digest = key.spki_sha256();
  return std::string(der::view(digest).substr(0, 20));
}

/// Positive, never zero, 126 random bits: nobody can predict what will be signed.
std::string random_serial() {
  std::array<std::uint8_t, 16> serial{};
  random_bytes(serial);
  serial[0] = static_cast<std::uint8_t>((serial[0] & 0x3fU) | 0x40U);
  return std::string(der::view(serial));
}

void put_extension(CBB* list, std::string_view oid, bool critical, std::string_view value) {
  CBB extension;
  der::open(list, &extension, CBS_ASN1_SEQUENCE);
  der::put(&extension, CBS_ASN1_OBJECT, oid);
  if (critical)
    der::put(&extension, CBS_ASN1_BOOLEAN, "\xff");
  der::put(&extension, CBS_ASN1_OCTETSTRING, value);
  CBB_flush(list);
}

std::string element(unsigned tag, std::string_view content) {
  der::writer out;
  der::put(out.root(), tag, content);
  return out.finish();
}

void put_extensions(CBB* tbs, const contents& what, const key_pair& subject,
                    const key_pair& issuer) {
  using namespace std::string_view_literals;
  CBB wrapped;
  CBB list;
  der::open(tbs, &wrapped, tag_extensions);
  der::open(&wrapped, &list, CBS_ASN1_SEQUENCE);
  if (what.holder == role::authority) {
    // An authority, of leaves only; keyCertSign.
    put_extension(&list, der::oid_basic_constraints, true, "\x30\x06\x01\x01\xff\x02\x01\x00"sv);
    put_extension(&list, der::oid_key_usage, true, "\x03\x02\x02\x04"sv);
    put_extension(&list, der::oid_subject_key_id, false,
                  element(CBS_ASN1_OCTETSTRING, key_id(subject)));
  } else {
    const auto purpose = what.holder == role::server ? der::oid_server_auth : der::oid_client_auth;
    put_extension(&list, der::oid_key_usage, true, "\x03\x02\x07\x80"sv); // digitalSignature
    put_extension(&list, der::oid_extended_key_usage, false,
                  element(CBS_ASN1_SEQUENCE, element(CBS_ASN1_OBJECT, purpose)));
    put_extension(&list, der::oid_alternative_name, false,
                  element(CBS_ASN1_SEQUENCE, element(tag_uri, what.uri)));
    put_extension(&list, der::oid_authority_key_id, false,
                  element(CBS_ASN1_SEQUENCE, element(tag_key_id, key_id(issuer))));
  }
  CBB_flush(tbs);
}

std::string signed_part(const contents& what, const key_pair& subject, const key_pair& issuer) {
  der::writer out;
  CBB tbs;
  CBB validity;
  der::open(out.root(), &tbs, CBS_ASN1_SEQUENCE);
  der::put(&tbs, tag_version, "\x02\x01\x02");
  der::put(&tbs, CBS_ASN1_INTEGER, random_serial());
  der::put_signature_algorithm(&tbs);
  der::put(&tbs, what.issuer);
  der::open(&tbs, &validity, CBS_ASN1_SEQUENCE);
  der::put_time(&validity, what.not_before_s);
  der::put_time(&validity, what.not_after_s);
  der::put(&tbs, what.subject);
  der::put(&tbs, subject.spki());
  put_extensions(&tbs, what, subject, issuer);
  return out.finish();
}

certificate sign(const contents& what, const key_pair& subject, const key_pair& issuer) {
  const std::string tbs = signed_part(what, subject, issuer);
  der::writer out;
  CBB whole;
  der::open(out.root(), &whole, CBS_ASN1_SEQUENCE);
  der::put(&whole, tbs);
  der::put_signature_algorithm(&whole);
  der::put_bit_string(&whole, issuer.sign(tbs));
  std::error_code ec;
  auto made = certificate::from_der(out.finish(), ec);
  MUSTER_ASSERT(made.has_value(), "we can read the certificates that we write");
  return *std::move(made);
}

std::string name_of(std::string_view common_name) {
  der::writer out;
  der::put_name(out.root(), common_name);
  return out.finish();
}

} // namespace

certificate_authority::certificate_authority(key_pair key, certificate self)
  : key_(std::move(key)), self_(std::move(self)) {
  MUSTER_ASSERT(self_.holder_role() == role::authority && key_.has_private_part() &&
                  key_.spki_sha256() == self_.spki_sha256(),
                "an authority needs the private key of its own certificate");
}

certificate_authority certificate_authority::make(const id_bytes& server_id, std::int64_t now_s) {
  auto key = key_pair::generate();
  const auto name = name_of("Muster CA " + to_hex(server_id));
  auto self = sign({.holder = role::authority,
                    .issuer = name,
                    .subject = name,
                    .uri = {},
                    .not_before_s = now_s - std::chrono::seconds(backdated).count(),
                    .not_after_s = now_s + std::chrono::seconds(authority_lifetime).count()},
                   key, key);
  return {std::move(key), std::move(self)};
}

certificate certificate_authority::issue(const key_pair& holder_key, role holder,
                                         const id_bytes& id, std::int64_t now_s,
                                         std::chrono::seconds lifetime) const {
  MUSTER_ASSERT(holder != role::authority, "an authority issues for servers and devices only");
  const std::string kind = holder == role::server ? "server" : "device";
  const auto id_text = to_hex(id);
  return sign({.holder = holder,
               .issuer = std::string(self_.subject()),
               .subject = name_of(kind + ' ' + id_text),
               .uri = "muster:" + kind + '/' + id_text,
               .not_before_s = now_s - std::chrono::seconds(backdated).count(),
               .not_after_s = now_s + lifetime.count()},
              holder_key, key_);
}

} // namespace muster::net
