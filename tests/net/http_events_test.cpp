#include "net/errc.hpp"
#include "net/http.hpp"

#include <doctest/doctest.h>

#include <string>
#include <vector>

using namespace muster::net;

namespace {

/// "event/id/data" of every event that comes out of `stream`, read in pieces.
std::vector<std::string> read(std::string_view stream, std::size_t piece) {
  http::event_stream_reader reader;
  std::vector<std::string> events;
  std::error_code ec;
  for (; !stream.empty(); stream.remove_prefix(std::min(piece, stream.size())))
    CHECK(reader.put(
      stream.substr(0, piece),
      [&](std::string_view event, std::string_view id, std::string_view data) {
        events.push_back(std::string(event) + "/" + std::string(id) + "/" + std::string(data));
        return true;
      },
      ec));
  CHECK_FALSE(ec);
  return events;
}

} // namespace

TEST_CASE("events survive being written and read again, however the stream is cut") {
  const auto stream = http::event_stream_item("a", "1", "one line") + http::event_stream_comment() +
                      http::event_stream_item("", "", "two\nlines\r\nor\rfour") +
                      http::event_stream_item("b\nid: 9", "2\r3", "");
  const std::vector<std::string> wanted{"a/1/one line", "message/1/two\nlines\nor\nfour", "b/2/"};
  for (const std::size_t piece : {1u, 2u, 3u, 10u, 1000u}) {
    CAPTURE(piece);
    CHECK(read(stream, piece) == wanted);
  }
}

TEST_CASE("every line ending of the specification is understood") {
  for (const std::size_t piece : {1u, 100u})
    CHECK(read("data: a\r\n\r\ndata:b\r\rdata:  c\n\nunknown: x\ndata\n\n", piece) ==
          std::vector<std::string>{"message//a", "message//b", "message// c", "message//"});
}

TEST_CASE("an event that was not finished is not told") {
  CHECK(read("data: a\n", 1).empty());
}

TEST_CASE("reading stops when the reader has heard enough, or when a line never ends") {
  http::event_stream_reader reader;
  std::error_code ec;
  int told = 0;
  CHECK_FALSE(reader.put(
    "data: a\n\ndata: b\n\n", [&](auto, auto, auto) { return ++told < 1; }, ec));
  CHECK_FALSE(ec);
  CHECK(told == 1);
  CHECK_FALSE(reader.put(
    std::string(limits::http_body_bytes_max + 1, 'x'), [](auto, auto, auto) { return true; }, ec));
  CHECK(ec == errc::frame_too_large);
}

TEST_CASE("the head of an event stream has no length and ends the connection") {
  http::response_reader reader;
  std::error_code ec;
  static_cast<void>(reader.put(http::event_stream_head(), ec));
  CHECK_FALSE(ec);
  CHECK(reader.has_head());
  CHECK_FALSE(reader.is_done());
  CHECK(reader.head().content_type == "text/event-stream");
  CHECK_FALSE(reader.head().keep_alive);
}
