#pragma once
// Writing and reading the few DER structures that certificates and requests are made of. For the
// certificate files only; everything here works on BoringSSL's CBB (writing) and CBS (reading).

#include <openssl/bytestring.h>

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#ifndef OPENSSL_IS_BORINGSSL
#error "these headers are not BoringSSL's: link muster_boringssl, which puts them first"
#endif

namespace muster::net::der {

// Encoded object identifiers (RFC 5280, RFC 5758), without tag and length.
inline constexpr std::string_view oid_common_name{"\x55\x04\x03", 3};
inline constexpr std::string_view oid_subject_key_id{"\x55\x1d\x0e", 3};
inline constexpr std::string_view oid_key_usage{"\x55\x1d\x0f", 3};
inline constexpr std::string_view oid_alternative_name{"\x55\x1d\x11", 3};
inline constexpr std::string_view oid_basic_constraints{"\x55\x1d\x13", 3};
inline constexpr std::string_view oid_authority_key_id{"\x55\x1d\x23", 3};
inline constexpr std::string_view oid_extended_key_usage{"\x55\x1d\x25", 3};
inline constexpr std::string_view oid_server_auth{"\x2b\x06\x01\x05\x05\x07\x03\x01", 8};
inline constexpr std::string_view oid_client_auth{"\x2b\x06\x01\x05\x05\x07\x03\x02", 8};
inline constexpr std::string_view oid_ecdsa_sha256{"\x2a\x86\x48\xce\x3d\x04\x03\x02", 8};

// -- between our types and BoringSSL's --------------------------------------------------------

[[nodiscard]] inline const std::uint8_t* bytes(std::string_view text) {
  return reinterpret_cast<const std::uint8_t*>(text.data());
}

[[nodiscard]] inline CBS reader(std::string_view text) {
  CBS out;
  CBS_init(&out, bytes(text), text.size());
  return out;
}

[[nodiscard]] inline std::string_view view(const CBS& cbs) {
  return {reinterpret_cast<const char*>(CBS_data(&cbs)), CBS_len(&cbs)};
}

[[nodiscard]] inline std::string_view view(std::span<const std::uint8_t> data) {
  return {reinterpret_cast<const char*>(data.data()), data.size()};
}

// -- reading ----------------------------------------------------------------------------------

/// Takes one element with this tag; false, and `in` is of no more use, when there is none.
[[nodiscard]] bool take(CBS& in, unsigned tag, CBS& content);
/// As take, but the whole element with tag and length.
[[nodiscard]] bool take_element(CBS& in, unsigned tag, std::string_view& element);
[[nodiscard]] bool at_end(const CBS& in);
/// AlgorithmIdentifier of ECDSA with SHA-256, the only one we know.
[[nodiscard]] bool take_signature_algorithm(CBS& in);
/// A BIT STRING of whole bytes.
[[nodiscard]] bool take_bit_string(CBS& in, CBS& content);
/// UTCTime or GeneralizedTime in the one form RFC 5280 allows, as seconds since 1970.
[[nodiscard]] std::optional<std::int64_t> take_time(CBS& in);

// -- writing ----------------------------------------------------------------------------------

/// A growing DER document. Running out of memory ends the process; nothing else can fail.
class writer {
public:
  writer();
  ~writer();
  writer(const writer&) = delete;
  writer& operator=(const writer&) = delete;
  [[nodiscard]] CBB* root() noexcept { return &cbb_; }
  /// The document. Once.
  [[nodiscard]] std::string finish();

private:
  CBB cbb_;
};

/// Opens a constructed or primitive element inside `parent`; it ends with the next write to
/// `parent`.
void open(CBB* parent, CBB* child, unsigned tag);
void put(CBB* parent, std::string_view bytes);
void put(CBB* parent, unsigned tag, std::string_view content);
void put_signature_algorithm(CBB* parent);
void put_bit_string(CBB* parent, std::string_view content);
/// UTCTime until 2049, GeneralizedTime from then on (RFC 5280, 4.1.2.5).
void put_time(CBB* parent, std::int64_t time_s);
/// Name with one attribute, the common name.
void put_name(CBB* parent, std::string_view common_name);

} // namespace muster::net::der
