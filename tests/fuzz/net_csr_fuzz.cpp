// A certificate request comes from a machine that nobody knows yet.
#include "net/certificate.hpp"

#include <muster/assert.hpp>

#include <cstddef>
#include <cstdint>
#include <string_view>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace muster::net;
  std::error_code ec;
  const auto key = key_of_csr({reinterpret_cast<const char*>(data), size}, ec);
  MUSTER_ASSERT(key.has_value() == !ec, "an error has a reason, a key has none");
  if (key) {
    MUSTER_ASSERT(!key->has_private_part(), "a request shows the public half only");
    const auto again = key_pair::from_spki(key->spki());
    MUSTER_ASSERT(again && again->spki_sha256() == key->spki_sha256(),
                  "a key survives its written form");
  }
  return 0;
}
