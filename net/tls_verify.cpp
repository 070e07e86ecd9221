#include "net/der.hpp"
#include "net/tls_internal.hpp"

#include <algorithm>
#include <vector>

namespace muster::net {

namespace {

constexpr std::size_t chain_certificates_max = 4;

std::string_view der_at(const STACK_OF(CRYPTO_BUFFER) * chain, std::size_t index) {
  const CRYPTO_BUFFER* const buffer = sk_CRYPTO_BUFFER_value(chain, index);
  return der::view(std::span(CRYPTO_BUFFER_data(buffer), CRYPTO_BUFFER_len(buffer)));
}

/// What to tell the peer: as much as it needs to say something useful to its own people.
std::uint8_t alert_for(errc why) {
  switch (why) {
  case errc::certificate_malformed:
    return SSL_AD_BAD_CERTIFICATE;
  case errc::certificate_wrong_role:
    return SSL_AD_UNSUPPORTED_CERTIFICATE;
  case errc::certificate_expired:
    return SSL_AD_CERTIFICATE_EXPIRED;
  case errc::certificate_foreign:
  case errc::pin_mismatch:
    return SSL_AD_UNKNOWN_CA;
  default:
    return SSL_AD_CERTIFICATE_UNKNOWN;
  }
}

ssl_verify_result_t conclude(SSL* ssl, errc found, std::uint8_t* alert) {
  call_of(ssl).verdict = found;
  if (found == errc::success)
    return ssl_verify_ok;
  *alert = alert_for(found);
  return ssl_verify_invalid;
}

errc judge_client(const STACK_OF(CRYPTO_BUFFER) * chain, const tls_rules& rules) {
  std::error_code ec;
  const auto leaf = certificate::from_der(der_at(chain, 0), ec);
  if (!leaf)
    return errc::certificate_malformed;
  if (!leaf->issued_by(rules.authority))
    return errc::certificate_foreign;
  return leaf->holder_role() == role::device ? errc::success : errc::certificate_wrong_role;
}

bool within(const certificate& which, std::int64_t now_s) {
  return which.not_before_s() <= now_s && now_s <= which.not_after_s();
}

errc judge_leaf(const certificate& leaf, const certificate& authority, const tls_rules& rules) {
  if (!leaf.issued_by(authority))
    return errc::certificate_foreign;
  if (leaf.holder_role() != role::server)
    return errc::certificate_wrong_role;
  if (rules.server.server_id && *rules.server.server_id != leaf.holder_id())
    return errc::certificate_wrong_name;
  const auto now_s = rules.now_s();
  return within(leaf, now_s) && within(authority, now_s) ? errc::success
                                                         : errc::certificate_expired;
}

errc judge_server(const STACK_OF(CRYPTO_BUFFER) * chain, const tls_rules& rules) {
  std::error_code ec;
  const auto leaf = certificate::from_der(der_at(chain, 0), ec);
  if (!leaf)
    return errc::certificate_malformed;
  std::vector<certificate> authorities;
  const auto end = std::min(sk_CRYPTO_BUFFER_num(chain), chain_certificates_max);
  for (std::size_t index = 1; index < end; ++index) {
    auto found = certificate::from_der(der_at(chain, index), ec);
    if (found && found->holder_role() == role::authority)
      authorities.push_back(*std::move(found));
  }
  if (authorities.empty())
    return errc::certificate_foreign;
  const auto& pin = rules.server.authority_pin;
  const auto authority =
    std::find_if(authorities.begin(), authorities.end(),
                 [&](const certificate& which) { return !pin || which.spki_sha256() == *pin; });
  const bool found = authority != authorities.end();
  if (rules.on_authority)
    rules.on_authority(found ? *authority : authorities.front());
  return found ? judge_leaf(*leaf, *authority, rules) : errc::pin_mismatch;
}

} // namespace

ssl_verify_result_t verify_client(SSL* ssl, std::uint8_t* alert) {
  const auto& rules = rules_of(ssl);
  const auto found = judge_client(SSL_get0_peer_certificates(ssl), rules);
  // The engine withholds tickets until somebody has shown who it is.
  if (found == errc::success && rules.tickets != nullptr)
    SSL_clear_options(ssl, SSL_OP_NO_TICKET);
  return conclude(ssl, found, alert);
}

ssl_verify_result_t verify_server(SSL* ssl, std::uint8_t* alert) {
  return conclude(ssl, judge_server(SSL_get0_peer_certificates(ssl), rules_of(ssl)), alert);
}

} // namespace muster::net
