#pragma once
// Our framing: a 4-byte big-endian length, then that many bytes of one protobuf message.

#include "net/limits.hpp"

#include <cstddef>
#include <string>
#include <string_view>
#include <system_error>

namespace muster::net {

inline constexpr std::size_t frame_header_bytes = 4;

/// Puts the length in front. The payload must not exceed limits::frame_bytes_max.
void prepend_frame_header(std::string& payload);

enum class frame_status { complete, incomplete, too_large };

/// Looks at the front of `in`. complete: `payload` is a view of the payload inside `in` and
/// `frame_bytes` says how much to drop. An empty payload is a complete frame. The bound is judged
/// as soon as the header is there.
struct frame_view {
  frame_status status = frame_status::incomplete;
  std::string_view payload;
  std::size_t frame_bytes = 0;
};
[[nodiscard]] frame_view peek_frame(std::string_view in, std::size_t payload_bytes_max);

} // namespace muster::net
