#include "net/certificate.hpp"

#include "net/der.hpp"

#include <muster/assert.hpp>

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/mem.h>
#include <openssl/pem.h>

#include <algorithm>

namespace muster::net {

namespace {

constexpr std::size_t certificate_bytes_max = 4 * 1024;
constexpr std::size_t pem_bytes_max = 16 * 1024;

constexpr unsigned tag_version = CBS_ASN1_CONSTRUCTED | CBS_ASN1_CONTEXT_SPECIFIC | 0;
constexpr unsigned tag_extensions = CBS_ASN1_CONSTRUCTED | CBS_ASN1_CONTEXT_SPECIFIC | 3;
constexpr unsigned tag_uri = CBS_ASN1_CONTEXT_SPECIFIC | 6;

/// What the extensions said, each at most once.
struct extensions {
  bool basic_constraints = false;
  bool is_authority = false;
  bool key_usage = false;
  bool signs_certificates = false;
  bool signs = false;
  std::string_view purpose; ///< object identifier of the one extended key usage
  std::string_view uri;     ///< the one name
};

bool read_basic_constraints(CBS in, extensions& out) {
  CBS content;
  int is_authority = 0;
  std::uint64_t path_length = 0;
  if (std::exchange(out.basic_constraints, true) || !der::take(in, CBS_ASN1_SEQUENCE, content) ||
      !der::at_end(in))
    return false;
  if (CBS_peek_asn1_tag(&content, CBS_ASN1_BOOLEAN) &&
      CBS_get_asn1_bool(&content, &is_authority) != 1)
    return false;
  if (CBS_peek_asn1_tag(&content, CBS_ASN1_INTEGER) &&
      CBS_get_asn1_uint64(&content, &path_length) != 1)
    return false;
  out.is_authority = is_authority == 1;
  return der::at_end(content);
}

bool read_key_usage(CBS in, extensions& out) {
  CBS bits;
  if (std::exchange(out.key_usage, true) || !der::take(in, CBS_ASN1_BITSTRING, bits) ||
      !der::at_end(in) || CBS_is_valid_asn1_bitstring(&bits) != 1)
    return false;
  out.signs = CBS_asn1_bitstring_has_bit(&bits, 0) == 1;
  out.signs_certificates = CBS_asn1_bitstring_has_bit(&bits, 5) == 1;
  return true;
}

bool read_one_purpose(CBS in, extensions& out) {
  CBS list;
  CBS purpose;
  if (!out.purpose.empty() || !der::take(in, CBS_ASN1_SEQUENCE, list) || !der::at_end(in) ||
      !der::take(list, CBS_ASN1_OBJECT, purpose) || !der::at_end(list))
    return false;
  out.purpose = der::view(purpose);
  return true;
}

bool read_one_uri(CBS in, extensions& out) {
  CBS list;
  CBS uri;
  if (!out.uri.empty() || !der::take(in, CBS_ASN1_SEQUENCE, list) || !der::at_end(in) ||
      !der::take(list, tag_uri, uri) || !der::at_end(list))
    return false;
  out.uri = der::view(uri);
  return true;
}

bool read_extension(CBS& list, extensions& out) {
  CBS extension;
  CBS oid;
  CBS value;
  int critical = 0;
  if (!der::take(list, CBS_ASN1_SEQUENCE, extension) || !der::take(extension, CBS_ASN1_OBJECT, oid))
    return false;
  if (CBS_peek_asn1_tag(&extension, CBS_ASN1_BOOLEAN) &&
      CBS_get_asn1_bool(&extension, &critical) != 1)
    return false;
  if (!der::take(extension, CBS_ASN1_OCTETSTRING, value) || !der::at_end(extension))
    return false;
  const auto name = der::view(oid);
  if (name == der::oid_basic_constraints)
    return read_basic_constraints(value, out);
  if (name == der::oid_key_usage)
    return read_key_usage(value, out);
  if (name == der::oid_extended_key_usage)
    return read_one_purpose(value, out);
  if (name == der::oid_alternative_name)
    return read_one_uri(value, out);
  // Not ours to understand: harmless unless it says that it must be understood.
  return critical == 0;
}

/// The id behind `prefix`; lower case only, so that a name has one spelling.
bool read_id(std::string_view uri, std::string_view prefix, id_bytes& out) {
  if (!uri.starts_with(prefix))
    return false;
  const auto id = from_hex(uri.substr(prefix.size()));
  if (!id || id->size() != out.size())
    return false;
  std::copy(id->begin(), id->end(), reinterpret_cast<char*>(out.data()));
  return to_hex(out) == uri.substr(prefix.size());
}

bool decide_role(const extensions& found, role& holder, id_bytes& id) {
  if (found.is_authority) {
    holder = role::authority;
    return found.signs_certificates && found.uri.empty() && found.purpose.empty();
  }
  if (!found.signs || found.signs_certificates)
    return false;
  if (found.purpose == der::oid_server_auth) {
    holder = role::server;
    return read_id(found.uri, "muster:server/", id);
  }
  if (found.purpose == der::oid_client_auth) {
    holder = role::device;
    return read_id(found.uri, "muster:device/", id);
  }
  return false;
}

/// The signed part of a certificate (RFC 5280, 4.1.2).
struct signed_part {
  std::string_view subject;
  std::string_view spki;
  std::int64_t not_before_s = 0;
  std::int64_t not_after_s = 0;
  extensions found;
};

bool read_signed_part(CBS& in, signed_part& out) {
  CBS tbs;
  CBS version;
  CBS validity;
  CBS wrapped;
  CBS list;
  std::uint64_t number = 0;
  std::string_view skipped;
  if (!der::take(in, CBS_ASN1_SEQUENCE, tbs) || !der::take(tbs, tag_version, version) ||
      CBS_get_asn1_uint64(&version, &number) != 1 || number != 2 || !der::at_end(version) ||
      !der::take_element(tbs, CBS_ASN1_INTEGER, skipped) || !der::take_signature_algorithm(tbs) ||
      !der::take_element(tbs, CBS_ASN1_SEQUENCE, skipped) ||
      !der::take(tbs, CBS_ASN1_SEQUENCE, validity))
    return false;
  const auto from = der::take_time(validity);
  const auto until = der::take_time(validity);
  if (!from || !until || !der::at_end(validity) ||
      !der::take_element(tbs, CBS_ASN1_SEQUENCE, out.subject) ||
      !der::take_element(tbs, CBS_ASN1_SEQUENCE, out.spki) ||
      !der::take(tbs, tag_extensions, wrapped) || !der::at_end(tbs) ||
      !der::take(wrapped, CBS_ASN1_SEQUENCE, list) || !der::at_end(wrapped))
    return false;
  out.not_before_s = *from;
  out.not_after_s = *until;
  while (!der::at_end(list))
    if (!read_extension(list, out.found))
      return false;
  return true;
}

} // namespace

std::optional<certificate> certificate::from_der(std::string_view der, std::error_code& ec) {
  ec = errc::certificate_malformed;
  if (der.size() > certificate_bytes_max)
    return std::nullopt;
  certificate out;
  out.der_ = std::make_shared<const std::string>(der);
  CBS in = der::reader(*out.der_);
  CBS outer;
  if (!der::take(in, CBS_ASN1_SEQUENCE, outer) || !der::at_end(in))
    return std::nullopt;
  CBS body = outer;
  std::string_view tbs;
  CBS signature;
  signed_part read;
  if (!der::take_element(outer, CBS_ASN1_SEQUENCE, tbs) || !der::take_signature_algorithm(outer) ||
      !der::take_bit_string(outer, signature) || !der::at_end(outer) ||
      !read_signed_part(body, read) || !decide_role(read.found, out.role_, out.id_))
    return std::nullopt;
  out.key_ = key_pair::from_spki(read.spki);
  if (!out.key_)
    return std::nullopt;
  out.signed_ = out.part_of(tbs);
  out.signature_ = out.part_of(der::view(signature));
  out.subject_ = out.part_of(read.subject);
  out.not_before_s_ = read.not_before_s;
  out.not_after_s_ = read.not_after_s;
  ec.clear();
  return out;
}

std::optional<certificate> certificate::from_pem(std::string_view pem, std::error_code& ec) {
  ec = errc::certificate_malformed;
  if (pem.size() > pem_bytes_max)
    return std::nullopt;
  const bssl::UniquePtr<BIO> bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  char* name = nullptr;
  char* header = nullptr;
  std::uint8_t* data = nullptr;
  long size = 0;
  const int found = PEM_read_bio(bio.get(), &name, &header, &data, &size);
  ERR_clear_error();
  if (found != 1)
    return std::nullopt;
  const bssl::UniquePtr<char> owned_name(name);
  const bssl::UniquePtr<char> owned_header(header);
  const bssl::UniquePtr<std::uint8_t> owned_data(data);
  if (std::string_view(name) != "CERTIFICATE")
    return std::nullopt;
  return from_der(der::view(std::span(data, static_cast<std::size_t>(size))), ec);
}

std::string certificate::der() const {
  MUSTER_ASSERT(!empty(), "an empty certificate has no form");
  return *der_;
}

std::string certificate::pem() const {
  MUSTER_ASSERT(!empty(), "an empty certificate has no form");
  const bssl::UniquePtr<BIO> bio(BIO_new(BIO_s_mem()));
  const int written =
    PEM_write_bio(bio.get(), "CERTIFICATE", "", der::bytes(*der_), static_cast<long>(der_->size()));
  MUSTER_ASSERT(written > 0, "a certificate has a PEM form");
  const std::uint8_t* data = nullptr;
  std::size_t size = 0;
  BIO_mem_contents(bio.get(), &data, &size);
  return std::string(reinterpret_cast<const char*>(data), size);
}

sha256_digest certificate::sha256() const {
  return net::sha256(*der_);
}

sha256_digest certificate::spki_sha256() const {
  return public_key().spki_sha256();
}

key_pair certificate::public_key() const {
  MUSTER_ASSERT(!empty(), "an empty certificate has no key");
  return *key_;
}

bool certificate::issued_by(const certificate& authority) const {
  MUSTER_ASSERT(!empty() && !authority.empty(), "an empty certificate has no issuer");
  return authority.role_ == role::authority &&
         authority.public_key().verify(view(signed_), view(signature_));
}

std::string_view certificate::subject() const {
  MUSTER_ASSERT(!empty(), "an empty certificate has no holder");
  return view(subject_);
}

certificate::part certificate::part_of(std::string_view inside) const {
  return {static_cast<std::uint32_t>(inside.data() - der_->data()),
          static_cast<std::uint32_t>(inside.size())};
}

std::string_view certificate::view(part which) const {
  return std::string_view(*der_).substr(which.at, which.bytes);
}

} // namespace muster::net
