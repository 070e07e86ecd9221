#include "net/tls_internal.hpp"

#include <muster/assert.hpp>

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/x509.h>

#include <algorithm>
#include <cstring>

namespace muster::net {

namespace {

tls_call& call_of(BIO* bio) {
  return *static_cast<tls_call*>(BIO_get_data(bio));
}

int read_from_call(BIO* bio, char* out, int size) {
  BIO_clear_retry_flags(bio);
  auto& in = call_of(bio).in;
  if (in.empty()) {
    BIO_set_retry_read(bio);
    return -1;
  }
  const auto taken = std::min(in.size(), static_cast<std::size_t>(size));
  std::memcpy(out, in.data(), taken);
  in.remove_prefix(taken);
  return static_cast<int>(taken);
}

int write_to_call(BIO* bio, const char* data, int size) {
  BIO_clear_retry_flags(bio);
  call_of(bio).out->append(data, static_cast<std::size_t>(size));
  return size;
}

long control(BIO*, int command, long, void*) {
  return command == BIO_CTRL_FLUSH ? 1 : 0;
}

const BIO_METHOD* make_method() {
  BIO_METHOD* const method = BIO_meth_new(BIO_get_new_index(), "muster call");
  MUSTER_ASSERT(method != nullptr, "out of memory");
  BIO_meth_set_read(method, read_from_call);
  BIO_meth_set_write(method, write_to_call);
  BIO_meth_set_ctrl(method, control);
  return method;
}

BIO* bio_of_this_thread() {
  static const BIO_METHOD* const method = make_method();
  thread_local const bssl::UniquePtr<BIO> bio = [] {
    bssl::UniquePtr<BIO> made(BIO_new(method));
    MUSTER_ASSERT(made != nullptr, "out of memory");
    BIO_set_init(made.get(), 1);
    return made;
  }();
  return bio.get();
}

errc reason_of_verify_result(long result) {
  switch (result) {
  case X509_V_ERR_CERT_HAS_EXPIRED:
  case X509_V_ERR_CERT_NOT_YET_VALID:
    return errc::certificate_expired;
  case X509_V_ERR_HOSTNAME_MISMATCH:
  case X509_V_ERR_IP_ADDRESS_MISMATCH:
    return errc::certificate_wrong_name;
  case X509_V_ERR_INVALID_PURPOSE:
    return errc::certificate_wrong_role;
  default:
    return errc::certificate_foreign;
  }
}

/// What an alert from the peer says.
errc reason_of_alert(int alert) {
  switch (alert) {
  case SSL_AD_BAD_CERTIFICATE:
  case SSL_AD_UNSUPPORTED_CERTIFICATE:
  case SSL_AD_CERTIFICATE_REVOKED:
  case SSL_AD_CERTIFICATE_EXPIRED:
  case SSL_AD_CERTIFICATE_UNKNOWN:
  case SSL_AD_CERTIFICATE_REQUIRED:
  case SSL_AD_UNKNOWN_CA:
  case SSL_AD_ACCESS_DENIED:
    return errc::peer_refused_us;
  case SSL_AD_NO_APPLICATION_PROTOCOL:
    return errc::tls_wrong_alpn;
  case SSL_AD_PROTOCOL_VERSION:
    return errc::tls_no_common_version;
  default:
    return errc::tls_failed;
  }
}

errc reason_of_error(const SSL* ssl, std::uint32_t error) {
  if (ERR_GET_LIB(error) != ERR_LIB_SSL)
    return errc::tls_failed;
  const int reason = ERR_GET_REASON(error);
  if (reason >= SSL_AD_REASON_OFFSET)
    return reason_of_alert(reason - SSL_AD_REASON_OFFSET);
  switch (reason) {
  case SSL_R_UNSUPPORTED_PROTOCOL:
  case SSL_R_UNKNOWN_PROTOCOL:
    return errc::tls_no_common_version;
  case SSL_R_NO_APPLICATION_PROTOCOL:
  case SSL_R_INVALID_ALPN_PROTOCOL:
    return errc::tls_wrong_alpn;
  case SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE:
    return errc::certificate_missing;
  case SSL_R_CERTIFICATE_VERIFY_FAILED:
    return reason_of_verify_result(SSL_get_verify_result(ssl));
  default:
    return errc::tls_failed;
  }
}

} // namespace

tls_call_scope::tls_call_scope(SSL* ssl, tls_call& call) : ssl_(ssl) {
  BIO* const bio = bio_of_this_thread();
  outer_ = static_cast<tls_call*>(BIO_get_data(bio));
  BIO_set_data(bio, &call);
  BIO_up_ref(bio);
  SSL_set_bio(ssl, bio, bio);
  ERR_clear_error();
}

tls_call_scope::~tls_call_scope() {
  SSL_set_bio(ssl_, nullptr, nullptr);
  BIO_set_data(bio_of_this_thread(), outer_);
}

tls_call& call_of(const SSL* ssl) {
  return call_of(SSL_get_rbio(ssl));
}

errc why_failed(const SSL* ssl, const tls_call& call) {
  if (call.verdict != errc::success) {
    ERR_clear_error();
    return call.verdict;
  }
  // The first error is the cause, unless only a later one has a name.
  for (auto error = ERR_get_error(); error != 0; error = ERR_get_error()) {
    const auto reason = reason_of_error(ssl, error);
    if (reason != errc::tls_failed) {
      ERR_clear_error();
      return reason;
    }
  }
  return errc::tls_failed;
}

} // namespace muster::net
