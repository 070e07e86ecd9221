// What anybody sends to a device that waits for the server's answer to its notice. The first byte
// chooses: as it is, or (odd) with the tag put right.
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
  constexpr std::size_t tag_at = 49;
  const auto key = world.keys.notice_key(1, world.device_id);
  if (data[0] % 2 == 1 && in.size() == acknowledgement_bytes) {
    const auto tag = datagram_tag_of(key, in.substr(0, tag_at));
    std::copy(tag.begin(), tag.end(), in.begin() + tag_at);
  }
  static const auto right = make_acknowledgement(world.leaving, key);
  MUSTER_ASSERT(check_acknowledgement(in, world.leaving, key) == (in == right),
                "there is one right answer");
  return 0;
}
