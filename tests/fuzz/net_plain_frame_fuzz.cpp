// Frames of the plain port, before and after the handshake. However the bytes are cut on their way,
// the same frames come out; and no bytes pass for a sealed frame. The first byte says how they are
// cut and which bound holds.
#include "net/plain_frame.hpp"

#include <muster/assert.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace {

using namespace muster::net;

struct outcome {
  std::vector<std::string> frames;
  bool too_large = false;
  bool in_frame = false;
  friend bool operator==(const outcome&, const outcome&) = default;
};

outcome cut(std::string_view in, std::size_t piece, std::size_t bytes_max) {
  outcome out;
  plain_frame_cutter cutter;
  for (std::size_t at = 0; at < in.size() && !out.too_large; at += piece) {
    auto rest = in.substr(at, piece);
    std::string_view payload;
    auto status = cutter.next(rest, bytes_max, payload);
    for (; status == frame_status::complete; status = cutter.next(rest, bytes_max, payload)) {
      MUSTER_ASSERT(payload.size() <= bytes_max, "no frame is above its bound");
      out.frames.emplace_back(payload);
    }
    out.too_large = status == frame_status::too_large;
    MUSTER_ASSERT(out.too_large || rest.empty(), "all of a frame in the making is taken");
  }
  out.in_frame = !out.too_large && cutter.in_frame();
  return out;
}

plain_key key_of_test() {
  plain_key key{};
  key.fill(0x5a);
  return key;
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0)
    return 0;
  const auto bytes_max = (data[0] & 1U) != 0 ? plain_frame_bytes_max : plain_data_bytes_max / 4;
  const std::size_t piece = 1 + (data[0] >> 1U);
  const std::string_view in(reinterpret_cast<const char*>(data) + 1, size - 1);
  const auto whole = cut(in, in.size() + 1, bytes_max);
  MUSTER_ASSERT(cut(in, piece, bytes_max) == whole, "how the bytes were cut does not matter");

  plain_opener opener(key_of_test());
  plain_sealer sealer(key_of_test());
  auto kind = plain_kind::data;
  std::string_view body;
  for (const auto& frame : whole.frames) {
    const bool passed = opener.open(frame, kind, body);
    std::string again;
    if (passed)
      sealer.seal(kind, body, again);
    // A seed may hold frames that were sealed under this key: only those pass, in their order.
    MUSTER_ASSERT(!passed || again.substr(frame_header_bytes) == frame,
                  "what passes is what would be sealed");
    if (!passed)
      break;
  }
  return 0;
}
