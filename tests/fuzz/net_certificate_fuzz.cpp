// A certificate comes from the peer before anything about it is known; a PEM file from an operator.
#include "net/certificate.hpp"

#include <muster/assert.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace muster::net;
  const std::string_view in(reinterpret_cast<const char*>(data), size);
  std::error_code ec;
  const bool pem = in.starts_with("-----");
  const auto found = pem ? certificate::from_pem(in, ec) : certificate::from_der(in, ec);
  MUSTER_ASSERT(found.has_value() == !ec, "an error has a reason, a certificate has none");
  if (!found)
    return 0;
  MUSTER_ASSERT(pem || found->der() == in, "a certificate is the bytes it was read from");
  const auto again = certificate::from_pem(found->pem(), ec);
  MUSTER_ASSERT(again && again->der() == found->der(), "a certificate survives its written form");
  MUSTER_ASSERT((found->holder_role() == role::authority) == (found->holder_id() == id_bytes{}) ||
                  found->holder_role() != role::authority,
                "an authority has no id");
  MUSTER_ASSERT(!found->subject().empty(), "every holder has a name");
  static_cast<void>(found->issued_by(*found));
  static_cast<void>(found->spki_sha256());
  return 0;
}
