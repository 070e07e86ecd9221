#include "tests/net/tls_world.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <string>

using namespace muster::net;
using namespace muster::net::testing;

TEST_CASE("the TLS library is BoringSSL") {
  CHECK(running_on_boringssl());
}

TEST_CASE_FIXTURE(tls_world, "both sides prove themselves and talk") {
  wire w(device_options(), server_options());
  w.handshake();
  REQUIRE_FALSE(w.client_error);
  REQUIRE_FALSE(w.server_error);
  REQUIRE(w.open());
  CHECK(w.server.peer().certificate_sha256 == device_leaf.sha256());
  CHECK(w.client.peer().certificate_sha256 == server_leaf.sha256());
  CHECK_FALSE(w.server.peer().resumed);
  CHECK_FALSE(w.server.peer().exporter.has_value());
  CHECK_FALSE(w.client.peer().exporter.has_value());
  w.client_says("hello");
  w.server_says("welcome");
  CHECK(w.at_server == "hello");
  CHECK(w.at_client == "welcome");
}

TEST_CASE_FIXTURE(tls_world, "a session resumes and still names the device") {
  wire first(device_options(), server_options());
  first.handshake();
  first.server_says("welcome");
  REQUIRE(sessions.size() == 1);

  wire second(device_options(), server_options(), sessions.back());
  second.handshake();
  REQUIRE(second.open());
  CHECK(second.server.peer().resumed);
  CHECK(second.client.peer().resumed);
  CHECK(second.server.peer().certificate_sha256 == device_leaf.sha256());
  CHECK(second.client.peer().certificate_sha256 == server_leaf.sha256());
  second.client_says("again");
  second.server_says("welcome back");
  CHECK(second.at_server == "again");
  CHECK(second.at_client == "welcome back");
  // And it comes with the next ticket.
  CHECK(sessions.size() == 2);
}

TEST_CASE_FIXTURE(tls_world, "bytes may arrive one at a time") {
  wire first(device_options(), server_options());
  first.handshake(1);
  REQUIRE(first.open());
  first.client_says("hello");
  first.server_says("welcome");
  CHECK(first.at_server == "hello");
  CHECK(first.at_client == "welcome");

  wire second(device_options(), server_options(), sessions.at(0));
  second.handshake(1);
  REQUIRE(second.open());
  CHECK(second.server.peer().resumed);
}

TEST_CASE_FIXTURE(tls_world, "what the client sends with its last flight arrives with it") {
  wire w(device_options(), server_options());
  w.client_error = w.client.start(w.to_server);
  std::string flight;
  REQUIRE_FALSE(w.server.receive(bytes_of(w.to_server), w.at_server, w.to_client));
  REQUIRE_FALSE(w.client.receive(bytes_of(w.to_client), w.at_client, flight));
  REQUIRE(w.client.open());
  REQUIRE_FALSE(w.server.open());
  REQUIRE_FALSE(w.client.send("hello", flight));
  w.to_client.clear();
  REQUIRE_FALSE(w.server.receive(bytes_of(flight), w.at_server, w.to_client));
  CHECK(w.server.open());
  CHECK(w.at_server == "hello");
  // The ticket waits for the first answer and costs no packet of its own.
  CHECK(w.to_client.empty());
}

TEST_CASE_FIXTURE(tls_world, "large messages pass in records") {
  wire w(device_options(), server_options());
  w.handshake();
  std::string large(1'000'000, 'x');
  for (std::size_t at = 0; at < large.size(); at += 7)
    large[at] = static_cast<char>('a' + at % 26);
  w.client_says(large);
  w.server_says(large);
  CHECK(w.at_server == large);
  CHECK(w.at_client == large);
}

TEST_CASE_FIXTURE(tls_world, "an orderly end is told from a cut") {
  wire w(device_options(), server_options());
  w.handshake();
  w.client_says("last");
  CHECK_FALSE(w.server.peer_closed());
  w.client.shutdown(w.to_server);
  w.run();
  CHECK(w.server.peer_closed());
  CHECK_FALSE(w.server_error);
  CHECK(w.at_server == "last");
  // The other direction still works, and bytes behind the end are ignored.
  w.server_says("bye");
  CHECK(w.at_client == "bye");
  std::string nothing;
  CHECK_FALSE(w.server.receive(bytes_of("garbage"), nothing, nothing));
  CHECK(nothing.empty());
}

TEST_CASE_FIXTURE(tls_world, "shutting down before the handshake says nothing") {
  tls_engine server(*context(server_options()));
  std::string out;
  CHECK_FALSE(server.start(out));
  server.shutdown(out);
  CHECK(out.empty());
}

TEST_CASE_FIXTURE(tls_world, "a handshake cut anywhere is neither open nor an error") {
  wire whole(device_options(), server_options());
  whole.client_error = whole.client.start(whole.to_server);
  const std::string hello = whole.to_server;
  for (std::size_t size = 0; size < hello.size(); ++size) {
    tls_engine server(*context(server_options()));
    std::string plain;
    std::string out;
    CHECK_FALSE(server.receive(bytes_of(hello.substr(0, size)), plain, out));
    CHECK_FALSE(server.open());
    CHECK(out.empty());
  }
}

TEST_CASE_FIXTURE(tls_world, "a client's last flight cut anywhere does not open the server") {
  const auto from = context(device_options());
  const auto to = context(server_options());
  std::size_t size = 0;
  for (std::size_t cut = 0; cut == 0 || cut < size; cut += 17) {
    tls_engine client(*from, nullptr);
    tls_engine server(*to);
    std::string up;
    std::string down;
    std::string plain;
    REQUIRE_FALSE(client.start(up));
    REQUIRE_FALSE(server.receive(bytes_of(up), plain, down));
    std::string flight;
    REQUIRE_FALSE(client.receive(bytes_of(down), plain, flight));
    size = flight.size();
    std::string rest;
    CHECK_FALSE(server.receive(bytes_of(flight.substr(0, cut)), plain, rest));
    CHECK_FALSE(server.open());
    // The rest opens it.
    CHECK_FALSE(server.receive(bytes_of(flight.substr(cut)), plain, rest));
    CHECK(server.open());
  }
}

TEST_CASE_FIXTURE(tls_world, "a changed byte anywhere ends the handshake on one side at least") {
  const auto from = context(device_options());
  const auto to = context(server_options());
  std::size_t size = 0;
  for (std::size_t at = 0; at == 0 || at < size; at += 31) {
    tls_engine client(*from, nullptr);
    tls_engine server(*to);
    std::string up;
    std::string down;
    std::string plain;
    REQUIRE_FALSE(client.start(up));
    REQUIRE_FALSE(server.receive(bytes_of(up), plain, down));
    size = down.size();
    down[at] = static_cast<char>(down[at] ^ 0x20);
    std::string flight;
    const auto seen = client.receive(bytes_of(down), plain, flight);
    std::string rest;
    const auto told = server.receive(bytes_of(flight), plain, rest);
    const bool both_open = client.open() && server.open() && !seen && !told;
    CHECK_FALSE(both_open);
  }
}

TEST_CASE_FIXTURE(tls_world, "garbage ends a connection and later bytes do not revive it") {
  using namespace std::string_view_literals;
  for (const auto garbage : {"GET / HTTP/1.1\r\nHost: muster\r\n\r\n"sv,
                             "\x16\x03\x01\x00\x05hello and more to fill it"sv,
                             "SSH-2.0-OpenSSH_9.2\r\n"sv, "\xff\xff\xff\xff\xff\xff\xff\xff"sv}) {
    CAPTURE(garbage);
    tls_engine server(*context(server_options()));
    std::string plain;
    std::string out;
    CHECK(server.receive(bytes_of(garbage), plain, out) == errc::tls_failed);
    CHECK_FALSE(server.open());
    std::string nothing;
    CHECK(server.receive(bytes_of("more"), plain, nothing));
    CHECK(server.send("more", nothing));
    CHECK(nothing.empty());
    CHECK(plain.empty());
  }
}

TEST_CASE_FIXTURE(tls_world, "a record changed on the way ends an open connection") {
  wire w(device_options(), server_options());
  w.handshake();
  std::string record;
  REQUIRE_FALSE(w.client.send("hello", record));
  record.back() = static_cast<char>(record.back() ^ 1);
  CHECK(w.server.receive(bytes_of(record), w.at_server, w.to_client) == errc::tls_failed);
  CHECK(w.at_server.empty());
}

TEST_CASE_FIXTURE(tls_world, "a record sent twice ends an open connection") {
  wire w(device_options(), server_options());
  w.handshake();
  std::string record;
  REQUIRE_FALSE(w.client.send("hello", record));
  CHECK_FALSE(w.server.receive(bytes_of(record), w.at_server, w.to_client));
  CHECK(w.server.receive(bytes_of(record), w.at_server, w.to_client) == errc::tls_failed);
  CHECK(w.at_server == "hello");
}

TEST_CASE_FIXTURE(tls_world, "a port and a client that speak different protocols part at once") {
  auto port = server_options();
  port.alpn = alpn_http;
  wire w(device_options(), port);
  w.handshake();
  CHECK(w.server_error == errc::tls_wrong_alpn);
  CHECK(w.client_error == errc::tls_wrong_alpn);
  CHECK_FALSE(w.client.open());
}

TEST_CASE_FIXTURE(tls_world, "a stranger is let in without an identity, with an exporter to sign") {
  wire w(stranger_options(), server_options());
  w.handshake();
  REQUIRE(w.open());
  CHECK_FALSE(w.server.peer().certificate_sha256.has_value());
  REQUIRE(w.server.peer().exporter.has_value());
  CHECK(w.server.peer().exporter == w.client.peer().exporter);
  CHECK(w.client.peer().certificate_sha256 == server_leaf.sha256());

  wire other(stranger_options(), server_options());
  other.handshake();
  CHECK(other.server.peer().exporter != w.server.peer().exporter);
}

TEST_CASE_FIXTURE(tls_world, "a stranger gets no ticket where certificates are asked for") {
  wire w(stranger_options(), server_options());
  w.handshake();
  w.server_says("refused");
  CHECK(w.at_client == "refused");
  CHECK(sessions.empty());
}

TEST_CASE_FIXTURE(tls_world, "a port that asks for no certificate hands out tickets all the same") {
  auto port = server_options();
  port.ask_for_client_certificate = false;
  wire first(device_options(), port);
  first.handshake();
  first.server_says("x");
  CHECK_FALSE(first.server.peer().certificate_sha256.has_value());
  REQUIRE(sessions.size() == 1);
  wire second(device_options(), port, sessions.back());
  second.handshake();
  CHECK(second.server.peer().resumed);
}

TEST_CASE_FIXTURE(tls_world, "an engine outlives its context") {
  wire w(device_options(), server_options());
  w.handshake();
  w.server_says("still here");
  CHECK(w.at_client == "still here");
}

TEST_CASE_FIXTURE(tls_world, "an idle sync costs few bytes on the wire") {
  wire first(device_options(), server_options());
  first.handshake();
  first.server_says("x");
  MESSAGE("full mutual handshake with ticket: " << first.bytes_up << " up, " << first.bytes_down
                                                << " down");
  wire second(device_options(), server_options(), sessions.back());
  second.handshake();
  REQUIRE(second.server.peer().resumed);
  second.client_says(std::string(200, 'h'));
  second.server_says(std::string(40, 'w'));
  second.client.shutdown(second.to_server);
  second.server.shutdown(second.to_client);
  second.run();
  MESSAGE("resumed, hello of 200, welcome of 40, ticket, both ends closed: "
          << second.bytes_up << " up, " << second.bytes_down << " down");
  CHECK(second.bytes_up + second.bytes_down <= 1'500);
}
