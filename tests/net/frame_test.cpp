#include "net/frame.hpp"

#include <doctest/doctest.h>

#include <string>

using namespace muster::net;

namespace {

std::string framed(std::string payload) {
  prepend_frame_header(payload);
  return payload;
}

} // namespace

TEST_CASE("a frame is its length, big-endian, and its payload") {
  CHECK(framed("abc") == std::string("\0\0\0\3abc", 7));
  CHECK(framed("") == std::string("\0\0\0\0", 4));
  CHECK(framed(std::string(0x010203, 'x')).substr(0, 4) == std::string("\0\1\2\3", 4));
}

TEST_CASE("every truncation of a frame is incomplete and the whole frame is complete") {
  const auto whole = framed("some payload") + "tail";
  const std::size_t frame_bytes = whole.size() - 4;
  for (std::size_t size = 0; size < frame_bytes; ++size)
    CHECK(peek_frame({whole.data(), size}, 100).status == frame_status::incomplete);
  const auto seen = peek_frame(whole, 100);
  CHECK(seen.status == frame_status::complete);
  CHECK(seen.payload == "some payload");
  CHECK(seen.frame_bytes == frame_bytes);
}

TEST_CASE("an empty payload is a complete frame") {
  const auto whole = framed("");
  const auto seen = peek_frame(whole, 0);
  CHECK(seen.status == frame_status::complete);
  CHECK(seen.payload.empty());
  CHECK(seen.frame_bytes == frame_header_bytes);
}

TEST_CASE("a length above the bound is refused as soon as the header is there") {
  CHECK(peek_frame(std::string("\0\0\0\4", 4), 3).status == frame_status::too_large);
  CHECK(peek_frame(std::string("\xff\xff\xff\xff", 4), limits::frame_bytes_max).status ==
        frame_status::too_large);
  CHECK(peek_frame(std::string("\xff\xff\xff", 3), 3).status == frame_status::incomplete);
  CHECK(peek_frame(std::string("\0\0\0\3", 4), 3).status == frame_status::incomplete);
}
