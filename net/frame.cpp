#include "net/frame.hpp"

#include <muster/assert.hpp>

#include <cstdint>

namespace muster::net {

void prepend_frame_header(std::string& payload) {
  MUSTER_ASSERT(payload.size() <= limits::frame_bytes_max, "a message of ours is above the limit");
  const auto size = static_cast<std::uint32_t>(payload.size());
  const char header[frame_header_bytes] = {static_cast<char>(size >> 24),
                                           static_cast<char>(size >> 16),
                                           static_cast<char>(size >> 8), static_cast<char>(size)};
  payload.insert(0, header, frame_header_bytes);
}

frame_view peek_frame(std::string_view in, std::size_t payload_bytes_max) {
  if (in.size() < frame_header_bytes)
    return {};
  std::uint32_t size = 0;
  for (std::size_t i = 0; i < frame_header_bytes; ++i)
    size = (size << 8) | static_cast<std::uint8_t>(in[i]);
  if (size > payload_bytes_max)
    return {frame_status::too_large, {}, 0};
  if (in.size() - frame_header_bytes < size)
    return {};
  return {frame_status::complete, in.substr(frame_header_bytes, size), frame_header_bytes + size};
}

} // namespace muster::net
