#include "net/splitter.hpp"

#include "net/errc.hpp"
#include "net/frame.hpp"
#include "net/limits.hpp"

#include <doctest/doctest.h>

#include <string>
#include <vector>

using namespace muster::net;

namespace {

std::string framed(std::string payload) {
  prepend_frame_header(payload);
  return payload;
}

/// Feeds `bytes` in pieces of `piece` and returns every message; stops at an error.
std::vector<std::string> split(splitter& cut, std::string_view bytes, std::size_t piece,
                               std::error_code& ec) {
  std::vector<std::string> messages;
  while (!bytes.empty() && !ec) {
    auto in = bytes.substr(0, piece);
    bytes.remove_prefix(in.size());
    std::string message;
    while (cut.next(in, message, ec))
      messages.push_back(message);
    if (!ec)
      CHECK(in.empty());
  }
  return messages;
}

} // namespace

TEST_CASE("frames come out whole, however the stream is cut") {
  const std::vector<std::string> wanted{"one", "", std::string(3000, 'x'), "four", ""};
  std::string stream;
  for (const auto& message : wanted)
    stream += framed(message);
  for (const std::size_t piece : {1u, 2u, 3u, 5u, 7u, 64u, 1000u, 100000u}) {
    CAPTURE(piece);
    const auto cut = make_frame_splitter();
    std::error_code ec;
    CHECK(split(*cut, stream, piece, ec) == wanted);
    CHECK_FALSE(ec);
    CHECK_FALSE(cut->in_message());
  }
}

TEST_CASE("a stream that ends in the middle of a frame leaves the splitter in a message") {
  const auto stream = framed("a message");
  for (std::size_t size = 1; size < stream.size(); ++size) {
    const auto cut = make_frame_splitter();
    std::error_code ec;
    CHECK(split(*cut, {stream.data(), size}, 4, ec).empty());
    CHECK_FALSE(ec);
    CHECK(cut->in_message());
  }
}

TEST_CASE("before trust a frame of 4 KB with its header is the largest") {
  const auto largest = framed(std::string(limits::frame_bytes_anonymous_max, 'x'));
  CHECK(largest.size() == 4096);
  const auto above = framed(std::string(limits::frame_bytes_anonymous_max + 1, 'x'));
  for (const std::size_t piece : {1u, 4u, 5000u}) {
    std::error_code ec;
    CHECK(split(*make_frame_splitter(), largest, piece, ec).size() == 1);
    CHECK_FALSE(ec);
    CHECK(split(*make_frame_splitter(), above, piece, ec).empty());
    CHECK(ec == errc::frame_too_large);
  }
}

TEST_CASE("after trust a frame of 1 MB is the largest") {
  auto cut = make_frame_splitter();
  cut->trust();
  std::error_code ec;
  CHECK(split(*cut, framed(std::string(limits::frame_bytes_max, 'x')), 70000, ec).size() == 1);
  CHECK_FALSE(ec);
  CHECK(split(*cut, std::string("\x00\x10\x00\x01", 4), 4, ec).empty());
  CHECK(ec == errc::frame_too_large);
}
