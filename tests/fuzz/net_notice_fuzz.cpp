// What anybody sends to the server's UDP port. The first byte chooses: as it is, or (odd) with the
// tag put right, as a device with a bug or an owner could.
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
  constexpr std::size_t device_at = 9;
  constexpr std::size_t tag_at = 50;
  const bool whole = in.size() == notice_bytes;
  if (data[0] % 2 == 1 && whole) {
    id_bytes device{};
    std::copy_n(in.begin() + device_at, device.size(), device.begin());
    const auto tag = datagram_tag_of(world.keys.notice_key(1, device), in.substr(0, tag_at));
    std::copy(tag.begin(), tag.end(), in.begin() + tag_at);
  }
  notice out;
  const auto verdict = check_notice(in, world.keys, out);
  MUSTER_ASSERT((verdict == notice_verdict::wrong_size) != whole, "the size is judged first");
  if (verdict == notice_verdict::accepted) {
    const auto key = world.keys.notice_key(out.generation, out.device_id);
    MUSTER_ASSERT(make_notice(out, key) == in, "a notice has one written form");
    const auto answer = make_acknowledgement(out, key);
    MUSTER_ASSERT(answer.size() <= in.size(), "an answer amplifies nothing");
    MUSTER_ASSERT(check_acknowledgement(answer, out, key), "the agent takes the answer");
  }
  return 0;
}
