#include "net/http.hpp"

#include "net/errc.hpp"
#include "net/http_target.hpp"
#include "net/limits.hpp"

#include <doctest/doctest.h>

#include <string>
#include <vector>

using namespace muster::net;

namespace {

std::optional<http::request> parsed(std::string_view bytes) {
  std::error_code ec;
  auto request = http::parse_request(bytes, ec);
  CHECK(request.has_value() == !ec);
  return request;
}

std::error_code refusal_of(std::string_view bytes) {
  std::error_code ec;
  CHECK_FALSE(http::parse_request(bytes, ec));
  return ec;
}

std::string get(std::string_view target) {
  return "GET " + std::string(target) + " HTTP/1.1\r\nHost: h\r\n\r\n";
}

} // namespace

TEST_CASE("a request's parts are decoded") {
  const auto request = parsed("POST /api/v1/d%C3%A9vices%20x?a=1&b=x+y%26z&a=2&flag HTTP/1.1\r\n"
                              "Host: server:13299\r\n"
                              "AUTHORIZATION: Bearer t\r\n"
                              "Accept: a\r\naccept: b\r\n"
                              "Content-Length: 4\r\n\r\nbody");
  REQUIRE(request);
  CHECK(request->method == "POST");
  CHECK(request->path == "/api/v1/d\xc3\xa9vices x");
  CHECK(request->query.count("a") == 2);
  CHECK(request->query_value("b") == "x y&z");
  CHECK(request->query_value("flag") == "");
  CHECK(request->query_value("c") == std::nullopt);
  CHECK(request->header("authorization") == "Bearer t");
  CHECK(request->header("accept") == "a, b");
  CHECK(request->header("missing").empty());
  CHECK(request->body == "body");
  CHECK(request->keep_alive);
}

TEST_CASE("keep-alive follows version and header") {
  CHECK(parsed("GET / HTTP/1.1\r\n\r\n")->keep_alive);
  CHECK_FALSE(parsed("GET / HTTP/1.1\r\nConnection: close\r\n\r\n")->keep_alive);
  CHECK_FALSE(parsed("GET / HTTP/1.0\r\n\r\n")->keep_alive);
  CHECK(parsed("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")->keep_alive);
}

TEST_CASE("a chunked body is put together") {
  const auto request = parsed("POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n"
                              "4;x=y\r\nWiki\r\n5\r\npedia\r\n0\r\nTrailer: t\r\n\r\n");
  REQUIRE(request);
  CHECK(request->body == "Wikipedia");
}

TEST_CASE("every truncation of a request is refused as truncated") {
  const std::string whole = "PUT /a?b=c HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nhello";
  CHECK(parsed(whole));
  for (std::size_t size = 0; size < whole.size(); ++size) {
    CAPTURE(size);
    CHECK(refusal_of({whole.data(), size}) == errc::truncated);
  }
  CHECK(refusal_of(whole + "x") == errc::malformed);
}

TEST_CASE("targets that are no plain path are refused") {
  for (const char* target :
       {"/%", "/%4", "/%zz", "/a%00b", "/a%0ab", "/%7f", "/..", "/a/../b", "/a/%2e%2e/b", "/a/..",
        "http://other/", "*", "a", "/a#b", "/?x=%", "/?x=%0d%0a"}) {
    CAPTURE(target);
    CHECK(refusal_of(get(target)) == errc::malformed);
  }
  CHECK(parsed(get("/a..b/...")));
  CHECK(parsed(get("/?")));
  CHECK(parsed(get("/?&&x=&=y")));
}

TEST_CASE("requests that mean two things are refused") {
  CHECK(refusal_of("GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n") == errc::malformed);
  CHECK(refusal_of("POST / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab") ==
        errc::malformed);
  CHECK(refusal_of("POST / HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n"
                   "0\r\n\r\n") == errc::malformed);
}

TEST_CASE("a target survives being escaped and read again") {
  std::string all;
  for (int c = 0x20; c < 256; ++c)
    if (c != 0x7f)
      all += static_cast<char>(c);
  const std::multimap<std::string, std::string> query{{all, all}, {"a", "1"}, {"a", "2"}};
  std::string path;
  std::multimap<std::string, std::string> read;
  REQUIRE(http::split_target(http::join_target("/" + all, query), path, read));
  CHECK(path == "/" + all);
  CHECK(read == query);
}

TEST_CASE("a response carries its length and stays within its lines") {
  http::response r;
  r.status = 201;
  r.body = "{}";
  r.headers.emplace_back("Location", "/x\r\nSet-Cookie: evil");
  const auto bytes = http::serialize(r);
  CHECK(bytes.starts_with("HTTP/1.1 201 Created\r\n"));
  CHECK(bytes.find("\r\nSet-Cookie") == std::string::npos);
  CHECK(bytes.find("Content-Type: application/json\r\n") != std::string::npos);
  CHECK(bytes.find("Content-Length: 2\r\n") != std::string::npos);
  CHECK(bytes.ends_with("\r\n\r\n{}"));

  std::error_code ec;
  const auto back = http::parse_response(bytes, ec);
  REQUIRE(back);
  CHECK(back->status == 201);
  CHECK(back->body == "{}");
  CHECK(back->content_type == "application/json");
  CHECK(back->keep_alive);
}

TEST_CASE("a response without content has neither type nor length") {
  http::response r;
  r.status = 204;
  r.body = "ignored";
  r.keep_alive = false;
  CHECK(http::serialize(r) == "HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n");
}

TEST_CASE("a request survives being written and read again") {
  http::request r;
  r.method = "POST";
  r.path = "/api/v1/devices/a b";
  r.query.emplace("since", "1 h");
  r.headers["authorization"] = "Bearer t";
  r.body = R"({"a":1})";
  const auto back = parsed(http::serialize(r, "server:13299"));
  REQUIRE(back);
  CHECK(back->method == r.method);
  CHECK(back->path == r.path);
  CHECK(back->query == r.query);
  CHECK(back->header("authorization") == "Bearer t");
  CHECK(back->header("host") == "server:13299");
  CHECK(back->body == r.body);
}

TEST_CASE("a response is read however it is cut, and the next one is left alone") {
  http::response r;
  r.body = std::string(1000, 'x');
  const auto one = http::serialize(r);
  const auto both = one + one;
  for (const std::size_t piece : {1u, 7u, 100u, 5000u}) {
    CAPTURE(piece);
    http::response_reader reader;
    std::string buffer;
    std::error_code ec;
    std::size_t at = 0;
    while (!reader.is_done() && !ec) {
      const auto more = both.substr(at, piece);
      REQUIRE_FALSE(more.empty());
      at += more.size();
      buffer += more;
      buffer.erase(0, reader.put(buffer, ec));
    }
    CHECK_FALSE(ec);
    CHECK(reader.take_body() == r.body);
    CHECK(at - buffer.size() == one.size());
  }
}

TEST_CASE("a body without a length ends with the connection; one with a length does not") {
  http::response_reader open_end;
  std::error_code ec;
  CHECK(open_end.put("HTTP/1.1 200 OK\r\n\r\nabc", ec) == 22);
  CHECK_FALSE(open_end.is_done());
  CHECK(open_end.has_head());
  open_end.put_end(ec);
  CHECK_FALSE(ec);
  CHECK(open_end.is_done());
  CHECK(open_end.take_body() == "abc");

  http::response_reader cut;
  CHECK(cut.put("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nabc", ec) > 0);
  cut.put_end(ec);
  CHECK(ec == errc::truncated);

  http::response_reader silent;
  silent.put_end(ec);
  CHECK(ec == errc::truncated);
}

TEST_CASE("a response above the limit is refused") {
  http::response_reader reader;
  std::error_code ec;
  CHECK(reader.put("HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n", ec) > 0);
  CHECK(ec == errc::frame_too_large);
}

TEST_CASE("a chunked answer may be empty, and come byte by byte") {
  const std::string answer = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n";
  for (std::size_t piece = 1; piece < 10; ++piece) {
    http::response_reader reader;
    std::string pending;
    std::error_code ec;
    for (std::size_t at = 0; at < answer.size(); at += piece) {
      pending += answer.substr(at, piece);
      pending.erase(0, reader.put(pending, ec));
      REQUIRE_FALSE(ec);
    }
    CHECK(reader.is_done());
    CHECK(pending.empty());
    CHECK(reader.head().body.empty());
  }
  // Cut short it is no answer.
  for (std::size_t size = 0; size < answer.size(); ++size) {
    std::error_code ec;
    CHECK_FALSE(http::parse_response(answer.substr(0, size), ec));
  }
}
