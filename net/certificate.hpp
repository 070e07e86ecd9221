#pragma once
// Keys, certificates and requests of the kind we issue: ECDSA P-256, one role, one URI name.

#include "net/errc.hpp"
#include "net/link.hpp"

#include <array>
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

struct evp_pkey_st;

namespace muster::net {

using id_bytes = std::array<std::uint8_t, 16>;

/// A P-256 key pair, or only its public half. Cheap to copy, thread-safe.
class key_pair {
public:
  [[nodiscard]] static key_pair generate();
  /// PKCS#8 PEM, unencrypted.
  [[nodiscard]] static std::optional<key_pair> from_pem(std::string_view pem, std::error_code& ec);
  /// DER SubjectPublicKeyInfo of an uncompressed point: 91 bytes.
  [[nodiscard]] static std::optional<key_pair> from_spki(std::string_view der);
  [[nodiscard]] std::string spki() const;
  [[nodiscard]] std::string private_pem() const;
  [[nodiscard]] bool has_private_part() const;
  /// SHA-256 of the DER SubjectPublicKeyInfo (RFC 5280): what pins and idempotency go by.
  [[nodiscard]] sha256_digest spki_sha256() const;
  /// ECDSA over SHA-256, DER.
  [[nodiscard]] std::string sign(std::string_view message) const;
  [[nodiscard]] bool verify(std::string_view message, std::string_view signature) const;
  evp_pkey_st* native() const noexcept { return key_.get(); }
  explicit key_pair(std::shared_ptr<evp_pkey_st> key) : key_(std::move(key)) {}

private:
  std::shared_ptr<evp_pkey_st> key_;
};

enum class role : std::uint8_t { authority, server, device };

/// A parsed certificate of the kind we issue. Cheap to copy, thread-safe. The parser is strict:
/// what we would not have written ourselves is not a certificate here. A default-made one is empty,
/// to be assigned to; asking it for anything is a bug.
class certificate {
public:
  certificate() = default;
  [[nodiscard]] static std::optional<certificate> from_der(std::string_view der,
                                                           std::error_code& ec);
  [[nodiscard]] static std::optional<certificate> from_pem(std::string_view pem,
                                                           std::error_code& ec);
  [[nodiscard]] std::string der() const;
  [[nodiscard]] std::string pem() const;
  [[nodiscard]] sha256_digest sha256() const;
  [[nodiscard]] sha256_digest spki_sha256() const;
  [[nodiscard]] key_pair public_key() const;
  [[nodiscard]] role holder_role() const noexcept { return role_; }
  /// The id in the URI name; all zero for an authority.
  [[nodiscard]] const id_bytes& holder_id() const noexcept { return id_; }
  [[nodiscard]] std::int64_t not_before_s() const noexcept { return not_before_s_; }
  [[nodiscard]] std::int64_t not_after_s() const noexcept { return not_after_s_; }
  /// One signature check. False when `authority` is not one.
  [[nodiscard]] bool issued_by(const certificate& authority) const;
  /// DER Name of the holder, which is the issuer's name in what an authority issues.
  [[nodiscard]] std::string_view subject() const;
  [[nodiscard]] bool empty() const noexcept { return der_ == nullptr; }

private:
  /// A part of `der_`.
  struct part {
    std::uint32_t at = 0;
    std::uint32_t bytes = 0;
  };
  [[nodiscard]] part part_of(std::string_view inside) const;
  [[nodiscard]] std::string_view view(part which) const;

  std::shared_ptr<const std::string> der_;
  std::optional<key_pair> key_;
  part signed_;
  part signature_;
  part subject_;
  role role_ = role::device;
  id_bytes id_{};
  std::int64_t not_before_s_ = 0;
  std::int64_t not_after_s_ = 0;
};

/// The CA: issues for roles. Of a request only the key is taken. Thread-safe.
class certificate_authority {
public:
  /// A new CA valid 20 years, named after the server id.
  [[nodiscard]] static certificate_authority make(const id_bytes& server_id, std::int64_t now_s);
  /// `self` must be of role authority and `key` its private key.
  certificate_authority(key_pair key, certificate self);
  /// Backdated by 48 h. `holder` must not be authority.
  [[nodiscard]] certificate issue(const key_pair& holder_key, role holder, const id_bytes& id,
                                  std::int64_t now_s, std::chrono::seconds lifetime) const;
  [[nodiscard]] const certificate& self() const noexcept { return self_; }
  [[nodiscard]] const key_pair& key() const noexcept { return key_; }

private:
  key_pair key_;
  certificate self_;
};

inline constexpr std::chrono::hours server_lifetime{24 * 90};
inline constexpr std::chrono::hours device_lifetime{24 * 365};
inline constexpr std::chrono::hours backdated{48};

/// PKCS#10 request for `key`, DER, about 250 bytes. Carries nothing else of use.
[[nodiscard]] std::string make_csr(const key_pair& key);
/// The request's key, if it is P-256 and signed by itself. At most 2 KB are looked at.
[[nodiscard]] std::optional<key_pair> key_of_csr(std::string_view der, std::error_code& ec);

/// Lower case hexadecimal, and back (empty on anything else).
[[nodiscard]] std::string to_hex(std::span<const std::uint8_t> bytes);
[[nodiscard]] std::optional<std::string> from_hex(std::string_view text);

[[nodiscard]] sha256_digest sha256(std::string_view bytes);
/// Bytes from the operating system's generator; ends the process if there are none.
void random_bytes(std::span<std::uint8_t> out);
/// Compares in time that depends on the length only.
[[nodiscard]] bool equal_in_constant_time(std::string_view a, std::string_view b);

} // namespace muster::net
