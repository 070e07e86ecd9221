// What anybody sends to a device's UDP port. The first byte chooses: as it is, or (odd) with the tag
// put right, as if the device's key were known.
#include "tests/net/datagram_world.hpp"

#include <muster/assert.hpp>

#include <cstddef>
#include <cstdint>
#include <string>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace muster::net;
  static const testing::datagram_world world;
  if (size == 0)
    return 0;
  std::string in(reinterpret_cast<const char*>(data) + 1, size - 1);
  constexpr std::size_t tag_at = 50;
  const auto key = world.keys.wake_key(1, world.device_id);
  if (data[0] % 2 == 1 && in.size() == wake_bytes) {
    const auto tag = datagram_tag_of(key, std::string_view(in).substr(0, tag_at));
    std::copy(tag.begin(), tag.end(), in.begin() + tag_at);
  }
  wake out;
  const auto verdict = check_wake(in, world.terms, 999, out);
  MUSTER_ASSERT((verdict == wake_verdict::wrong_size) == (in.size() != wake_bytes),
                "the size is judged first, and alone");
  if (verdict == wake_verdict::accepted) {
    MUSTER_ASSERT(world.signer.make(out, key) == in, "only the server's own datagrams are taken");
    MUSTER_ASSERT(out.counter > 999, "nothing is taken twice");
  } else {
    MUSTER_ASSERT(out == wake{}, "a refused one leaves nothing behind");
  }
  return 0;
}
