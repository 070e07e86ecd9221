#include "net/errc.hpp"

#include <string>

namespace muster::net {

namespace {

// Completes the sentence "the connection to X failed: ...".
const char* text_of(errc e) noexcept {
  switch (e) {
  case errc::success:
    return "no error";
  case errc::frame_too_large:
    return "the peer announced a message above the limit";
  case errc::truncated:
    return "the peer ended the connection without saying goodbye";
  case errc::malformed:
    return "the peer sent bytes that are no message of ours";
  case errc::timed_out:
    return "the peer took too long";
  case errc::queue_full:
    return "the queue is full";
  case errc::tls_failed:
    return "TLS failed";
  case errc::tls_no_common_version:
    return "the peer does not speak TLS 1.3";
  case errc::tls_wrong_alpn:
    return "the peer speaks another protocol over TLS";
  case errc::certificate_missing:
    return "the peer showed no certificate";
  case errc::certificate_foreign:
    return "the peer's certificate was not issued by the authority we trust";
  case errc::certificate_wrong_role:
    return "the peer's certificate is ours but was issued for another role";
  case errc::certificate_wrong_name:
    return "the peer's certificate is ours but names somebody else";
  case errc::certificate_expired:
    return "the peer's certificate is outside its validity";
  case errc::certificate_malformed:
    return "the peer's certificate is not of the kind we issue";
  case errc::pin_mismatch:
    return "the peer's authority is not the pinned one";
  case errc::peer_refused_us:
    return "the peer did not accept our certificate";
  case errc::name_not_found:
    return "no address for this host name";
  case errc::key_file_bad:
    return "a key or certificate file cannot be used";
  case errc::speaks_tls:
    return "the peer speaks TLS, which is not for this port";
  case errc::plain_wrong_version:
    return "the peer speaks another version of the plain protocol";
  case errc::signature_wrong:
    return "the peer's signature does not fit: it is not who it says, or was changed on its way";
  case errc::key_share_worthless:
    return "the peer sent a key share of no worth";
  case errc::altered:
    return "what the peer sent was changed, repeated or reordered on its way";
  case errc::peer_found_altered:
    return "the peer says that what we sent was changed on its way";
  }
  return "unknown error";
}

class category final : public std::error_category {
public:
  const char* name() const noexcept override { return "net"; }
  std::string message(int value) const override { return text_of(static_cast<errc>(value)); }
};

} // namespace

const std::error_category& net_category() noexcept {
  static const category instance;
  return instance;
}

} // namespace muster::net
