#include "net/certificate.hpp"
#include "net/der.hpp"

namespace muster::net {

namespace {

constexpr std::size_t request_bytes_max = 2 * 1024;
constexpr unsigned tag_attributes = CBS_ASN1_CONSTRUCTED | CBS_ASN1_CONTEXT_SPECIFIC | 0;

} // namespace

std::string make_csr(const key_pair& key) {
  // Version 0, no name, the key, no attributes (RFC 2986, 4.1).
  der::writer info;
  CBB content;
  der::open(info.root(), &content, CBS_ASN1_SEQUENCE);
  der::put(&content, CBS_ASN1_INTEGER, std::string_view("\0", 1));
  der::put(&content, CBS_ASN1_SEQUENCE, {});
  der::put(&content, key.spki());
  der::put(&content, tag_attributes, {});
  const std::string to_sign = info.finish();

  der::writer out;
  CBB request;
  der::open(out.root(), &request, CBS_ASN1_SEQUENCE);
  der::put(&request, to_sign);
  der::put_signature_algorithm(&request);
  der::put_bit_string(&request, key.sign(to_sign));
  return out.finish();
}

std::optional<key_pair> key_of_csr(std::string_view der, std::error_code& ec) {
  ec = errc::malformed;
  if (der.size() > request_bytes_max)
    return std::nullopt;
  CBS in = der::reader(der);
  CBS request;
  if (!der::take(in, CBS_ASN1_SEQUENCE, request) || !der::at_end(in))
    return std::nullopt;
  CBS body = request;
  CBS info;
  CBS attributes;
  CBS signature;
  std::string_view signed_part;
  std::string_view name;
  std::string_view spki;
  std::uint64_t version = 0;
  if (!der::take_element(request, CBS_ASN1_SEQUENCE, signed_part) ||
      !der::take_signature_algorithm(request) || !der::take_bit_string(request, signature) ||
      !der::at_end(request) || !der::take(body, CBS_ASN1_SEQUENCE, info) ||
      CBS_get_asn1_uint64(&info, &version) != 1 || version != 0 ||
      !der::take_element(info, CBS_ASN1_SEQUENCE, name) ||
      !der::take_element(info, CBS_ASN1_SEQUENCE, spki) ||
      !der::take(info, tag_attributes, attributes) || !der::at_end(info))
    return std::nullopt;
  auto key = key_pair::from_spki(spki);
  if (!key || !key->verify(signed_part, der::view(signature)))
    return std::nullopt;
  ec.clear();
  return key;
}

} // namespace muster::net
