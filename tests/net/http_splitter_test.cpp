#include "net/errc.hpp"
#include "net/http.hpp"
#include "net/limits.hpp"
#include "net/splitter.hpp"

#include <doctest/doctest.h>

#include <string>
#include <vector>

using namespace muster::net;

namespace {

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

std::error_code refusal_of(std::string_view bytes, std::string& reply, bool trusted = false) {
  const auto cut = make_request_splitter();
  if (trusted)
    cut->trust();
  std::error_code ec;
  split(*cut, bytes, 1000, ec);
  reply = cut->take_reply();
  return ec;
}

std::string post(std::size_t body_bytes) {
  return "POST / HTTP/1.1\r\nContent-Length: " + std::to_string(body_bytes) + "\r\n\r\n" +
         std::string(body_bytes, 'x');
}

} // namespace

TEST_CASE("pipelined requests come out whole and unchanged, however the stream is cut") {
  const std::vector<std::string> wanted{
    "GET /1 HTTP/1.1\r\nHost: h\r\n\r\n",
    "POST /2 HTTP/1.1\r\nContent-Length: 3\r\n\r\nabc",
    "POST /3 HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
    "GET /4 HTTP/1.1\r\n\r\n",
  };
  std::string stream;
  for (const auto& message : wanted)
    stream += message;
  for (std::size_t piece = 1; piece <= stream.size(); ++piece) {
    CAPTURE(piece);
    const auto cut = make_request_splitter();
    std::error_code ec;
    CHECK(split(*cut, stream, piece, ec) == wanted);
    CHECK_FALSE(ec);
    CHECK_FALSE(cut->in_message());
    CHECK(cut->take_reply().empty());
  }
}

TEST_CASE("empty lines between requests are ignored") {
  const auto cut = make_request_splitter();
  std::error_code ec;
  CHECK(split(*cut, "\r\n\r\nGET / HTTP/1.1\r\n\r\n\r\n", 1, ec) ==
        std::vector<std::string>{"GET / HTTP/1.1\r\n\r\n"});
  CHECK_FALSE(cut->in_message());
}

TEST_CASE("every truncation of a request leaves the splitter in a message") {
  const std::string whole = "POST / HTTP/1.1\r\nContent-Length: 3\r\n\r\nabc";
  for (std::size_t size = 1; size < whole.size(); ++size) {
    const auto cut = make_request_splitter();
    std::error_code ec;
    CHECK(split(*cut, {whole.data(), size}, 5, ec).empty());
    CHECK_FALSE(ec);
    CHECK(cut->in_message());
  }
}

TEST_CASE("a client that waits for a word before its body gets it once") {
  const std::string head = "POST / HTTP/1.1\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n";
  const auto cut = make_request_splitter();
  std::error_code ec;
  CHECK(split(*cut, head, 7, ec).empty());
  CHECK(cut->take_reply() == "HTTP/1.1 100 Continue\r\n\r\n");
  CHECK(split(*cut, "ab", 1, ec).empty());
  CHECK(cut->take_reply().empty());
  CHECK(split(*cut, "c", 1, ec).size() == 1);
  // Nor does a client that did not wait.
  CHECK(split(*cut, head + "abc", 1000, ec).size() == 1);
  CHECK(cut->take_reply().empty());
}

TEST_CASE("what is no request is refused with a last word") {
  std::string reply;
  for (const char* bytes :
       {"\x16\x03\x01 garbage", "GET\r\n\r\n", "GET / HTTP/2.0\r\n\r\n",
        "GET / HTTP/1.1\r\n: x\r\n\r\n", "POST / HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
        "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n",
        "POST / HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n"}) {
    CAPTURE(bytes);
    CHECK(refusal_of(bytes, reply) == errc::malformed);
    CHECK(reply.starts_with("HTTP/1.1 400 "));
  }
}

TEST_CASE("heads and bodies are bounded, bodies less tightly after trust") {
  std::string reply;
  CHECK(refusal_of("GET / HTTP/1.1\r\nX: " + std::string(limits::http_head_bytes_max, 'x'),
                   reply) == errc::frame_too_large);
  CHECK(reply.starts_with("HTTP/1.1 431 "));

  CHECK_FALSE(refusal_of(post(limits::http_body_bytes_anonymous_max), reply));
  CHECK(refusal_of(post(limits::http_body_bytes_anonymous_max + 1), reply) ==
        errc::frame_too_large);
  CHECK(reply.starts_with("HTTP/1.1 413 "));
  CHECK_FALSE(refusal_of(post(limits::http_body_bytes_max), reply, true));
  CHECK(refusal_of(post(limits::http_body_bytes_max + 1), reply, true) == errc::frame_too_large);

  // Chunks of one byte each carry more header than body.
  std::string chunks = "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n";
  for (std::size_t i = 0; i < limits::http_body_bytes_anonymous_max; ++i)
    chunks += "1\r\nx\r\n";
  CHECK(refusal_of(chunks, reply) == errc::frame_too_large);
}

TEST_CASE("a chunked body may be empty, and come byte by byte") {
  const std::string head = "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";
  for (const auto* body : {"0\r\n\r\n", "0\r\nTrailer: x\r\n\r\n", "1\r\nx\r\n0\r\n\r\n",
                           "0000\r\n\r\n", "0;a=b\r\n\r\n"}) {
    CAPTURE(body);
    for (std::size_t piece = 1; piece < 10; ++piece) {
      const auto cut = make_request_splitter();
      std::error_code ec;
      const auto found = split(*cut, head + body + head + body, piece, ec);
      CHECK_FALSE(ec);
      REQUIRE(found.size() == 2);
      CHECK(found.front() == head + body);
      CHECK(http::parse_request(found.back(), ec).has_value());
    }
  }
}
