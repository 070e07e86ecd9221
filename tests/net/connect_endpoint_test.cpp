#include "net/tcp_connector.hpp"

#include <doctest/doctest.h>

#include <string>

using namespace muster::net;

namespace {

std::string shown(std::string_view text) {
  const auto endpoint = parse_endpoint(text, 13000);
  return endpoint ? endpoint->host + " " + std::to_string(endpoint->port) : "none";
}

} // namespace

TEST_CASE("an endpoint is a host with or without a port") {
  CHECK(shown("server") == "server 13000");
  CHECK(shown("server.example:443") == "server.example 443");
  CHECK(shown("1.2.3.4:5") == "1.2.3.4 5");
  CHECK(shown("[::1]:5") == "::1 5");
  CHECK(shown("[2001:db8::7]") == "2001:db8::7 13000");
  CHECK(shown("x:65535") == "x 65535");
}

TEST_CASE("anything else is no endpoint") {
  for (const char* text : {"",
                           ":",
                           ":5",
                           "host:",
                           "host:0",
                           "host:65536",
                           "host:-1",
                           "host:+1",
                           "host:1x",
                           "host: 1",
                           "::1",
                           "a:b:c",
                           "[::1",
                           "[::1]5",
                           "[::1]:",
                           "[1.2.3.4]:5",
                           "[]:5",
                           "ho st",
                           "host/path",
                           "https://host",
                           "h\xc3\xb6st",
                           "host:99999999999999999999"}) {
    CAPTURE(text);
    CHECK(shown(text) == "none");
  }
  CHECK(shown(std::string(254, 'a')) == "none");
  CHECK(shown(std::string_view("a\0b", 3)) == "none");
}
