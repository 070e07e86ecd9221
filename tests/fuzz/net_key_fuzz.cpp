// A key file may be any file that an operator named, or what a crash has left of one.
#include "net/certificate.hpp"

#include <muster/assert.hpp>

#include <cstddef>
#include <cstdint>
#include <string_view>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace muster::net;
  const std::string_view in(reinterpret_cast<const char*>(data), size);
  std::error_code ec;
  const auto key = key_pair::from_pem(in, ec);
  MUSTER_ASSERT(key.has_value() == !ec, "an error has a reason, a key has none");
  if (key) {
    MUSTER_ASSERT(key->has_private_part(), "a key file has the private half");
    const auto again = key_pair::from_pem(key->private_pem(), ec);
    MUSTER_ASSERT(again && again->spki_sha256() == key->spki_sha256(),
                  "a key survives its written form");
    MUSTER_ASSERT(key->verify("message", key->sign("message")), "a key proves itself");
  }
  const auto shown = key_pair::from_spki(in);
  MUSTER_ASSERT(!shown || shown->spki() == in, "a public key has one written form");
  return 0;
}
