// Frames come from anybody who reaches the port. However the bytes are cut on their way, the same
// messages come out. The first byte says how they are cut and whether the peer is trusted.
#include "net/frame.hpp"
#include "net/splitter.hpp"

#include <muster/assert.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace {

using namespace muster::net;

std::vector<std::string> by_peeking(std::string_view in, std::size_t bytes_max, bool& too_large) {
  std::vector<std::string> out;
  while (true) {
    const auto front = peek_frame(in, bytes_max);
    too_large = front.status == frame_status::too_large;
    if (front.status != frame_status::complete)
      return out;
    MUSTER_ASSERT(front.payload.size() <= bytes_max, "no payload is above its bound");
    MUSTER_ASSERT(front.frame_bytes == front.payload.size() + frame_header_bytes, "sizes add up");
    out.emplace_back(front.payload);
    in.remove_prefix(front.frame_bytes);
  }
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0)
    return 0;
  const bool trusted = (data[0] & 1U) != 0;
  const std::size_t piece = 1 + (data[0] >> 1U);
  const std::string_view in(reinterpret_cast<const char*>(data) + 1, size - 1);
  const auto bytes_max = trusted ? limits::frame_bytes_max : limits::frame_bytes_anonymous_max;
  bool too_large = false;
  const auto expected = by_peeking(in, bytes_max, too_large);

  const auto cut = make_frame_splitter();
  if (trusted)
    cut->trust();
  std::vector<std::string> found;
  std::error_code ec;
  for (std::size_t at = 0; at < in.size() && !ec; at += piece) {
    auto rest = in.substr(at, piece);
    while (!rest.empty() && !ec) {
      std::string message;
      if (!cut->next(rest, message, ec))
        break;
      found.push_back(message);
      cut->wrap(message);
      const auto again = peek_frame(message, limits::frame_bytes_max);
      MUSTER_ASSERT(again.status == frame_status::complete && again.payload == found.back(),
                    "what is wrapped can be unwrapped");
    }
    MUSTER_ASSERT(ec || rest.empty(), "a splitter takes everything of a message in the making");
  }
  MUSTER_ASSERT(found == expected, "how the bytes were cut does not matter");
  MUSTER_ASSERT(static_cast<bool>(ec) == too_large, "only a frame above the bound is an error");
  return 0;
}
