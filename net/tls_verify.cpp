#include "net/der.hpp"
#include "net/tls_internal.hpp"
#include "net/trust.hpp"

#include <algorithm>
#include <span>
#include <string_view>
#include <vector>

namespace muster::net {

namespace {

/// What the peer showed, as far as it is looked at.
std::vector<std::string_view> shown(const SSL* ssl) {
  const STACK_OF(CRYPTO_BUFFER)* const chain = SSL_get0_peer_certificates(ssl);
  std::vector<std::string_view> out;
  const auto end = chain != nullptr ? sk_CRYPTO_BUFFER_num(chain) : 0;
  for (std::size_t index = 0; index < std::min(end, judged_certificates_max); ++index) {
    const CRYPTO_BUFFER* const buffer = sk_CRYPTO_BUFFER_value(chain, index);
    out.push_back(der::view(std::span(CRYPTO_BUFFER_data(buffer), CRYPTO_BUFFER_len(buffer))));
  }
  return out;
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

} // namespace

ssl_verify_result_t verify_client(SSL* ssl, std::uint8_t* alert) {
  const auto& rules = rules_of(ssl);
  const auto found = judge_device(shown(ssl), rules.authority).verdict;
  // The engine withholds tickets until somebody has shown who it is.
  if (found == errc::success && rules.tickets != nullptr)
    SSL_clear_options(ssl, SSL_OP_NO_TICKET);
  return conclude(ssl, found, alert);
}

ssl_verify_result_t verify_server(SSL* ssl, std::uint8_t* alert) {
  const auto& rules = rules_of(ssl);
  const auto found = judge_server(shown(ssl), rules.server, rules.now_s(), rules.on_authority);
  return conclude(ssl, found.verdict, alert);
}

} // namespace muster::net
