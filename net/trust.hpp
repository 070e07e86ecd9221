#pragma once
// Whom we take a certificate from, judged the same way on every port. Pure.

#include "net/certificate.hpp"
#include "net/errc.hpp"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace muster::net {

/// Certificates of a chain that are looked at: a leaf and, during a roll-over, its authorities.
inline constexpr std::size_t judged_certificates_max = 4;

/// Whom a client accepts as its server. The pin is over the CA's SubjectPublicKeyInfo, never the
/// leaf's. With no pin at all (trust on first use) any CA goes and `on_authority` tells which.
struct server_expectation {
  std::optional<sha256_digest> authority_pin;
  /// Server id of the `muster:server/<id>` name; empty: any (before enrolment).
  std::optional<id_bytes> server_id;
  /// TLS only: accept a publicly issued chain for this host name or address instead (operator's
  /// own PEM); empty: no. Pin and server id are then not looked at.
  std::string host_name;
  /// With host_name: PEM of the authorities to trust; empty: the system's.
  std::string trust_pem;
};

struct judgement {
  errc verdict = errc::certificate_malformed; ///< success: it is whom we expect, if it has the key
  certificate leaf;                           ///< empty when malformed
};

/// A server judges what an agent shows (DER, leaf first): issued by `authority`, role device. Its
/// validity is not looked at: known, revoked or expired is the directory's to decide.
[[nodiscard]] judgement judge_device(std::span<const std::string_view> chain,
                                     const certificate& authority);

/// An agent judges what a server shows: some authority in the chain is the pinned one and issued
/// the leaf, role server, the expected server id, both valid at `now_s`. `on_authority`, if any, is
/// told which authority was shown before that is judged.
[[nodiscard]] judgement judge_server(std::span<const std::string_view> chain,
                                     const server_expectation& expected, std::int64_t now_s,
                                     const std::function<void(const certificate&)>& on_authority);

} // namespace muster::net
