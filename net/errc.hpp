#pragma once
// What can go wrong between us and a peer, as values of std::error_code.

#include <system_error>

namespace muster::net {

enum class errc {
  success = 0,
  frame_too_large,       ///< length above the bound for this state of authentication
  truncated,             ///< the peer ended in the middle of a message
  malformed,             ///< bytes that are no message of ours
  timed_out,             ///< handshake, connect or flush took longer than its limit
  queue_full,            ///< a bounded queue refused
  tls_failed,            ///< handshake or record failure without a better name
  tls_no_common_version, ///< the peer speaks no TLS 1.3
  tls_wrong_alpn,        ///< the peer speaks another protocol over TLS
  certificate_missing,   ///< the peer showed none
  certificate_foreign,   ///< not issued by the CA we trust
  certificate_wrong_role,///< issued by our CA, for another role (agent posing as server)
  certificate_wrong_name,///< right role, another server's or device's name
  certificate_expired,   ///< outside its validity
  certificate_malformed, ///< not a certificate of the kind we issue
  pin_mismatch,          ///< the CA is not the pinned one
  peer_refused_us,       ///< the peer ended the handshake with an alert about our certificate
  name_not_found,        ///< no address for the host name
  key_file_bad,          ///< a key or certificate file cannot be read or has wrong permissions
  speaks_tls,            ///< TLS where the plain protocol is spoken
  plain_wrong_version,   ///< another version of the plain protocol
  signature_wrong,       ///< the peer's handshake signature does not fit what was said
  key_share_worthless,   ///< a key share with which every result is the same
  altered,               ///< what arrived is not what was sent: changed, repeated, left out, reordered
  peer_found_altered,    ///< the same, says the peer of what we sent
};

const std::error_category& net_category() noexcept;

inline std::error_code make_error_code(errc e) noexcept {
  return {static_cast<int>(e), net_category()};
}

} // namespace muster::net

template <>
struct std::is_error_code_enum<muster::net::errc> : std::true_type {};
