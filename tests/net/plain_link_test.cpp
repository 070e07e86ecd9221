// The plain protocol over real sockets, by the same links as TLS.

#include "net/client_socket.hpp"
#include "tests/net/socket_world.hpp"

#include <doctest/doctest.h>

#include <array>
#include <string>
#include <utility>

using namespace muster::net;
using namespace muster::net::testing;

namespace {

struct plain_socket_world : socket_world {
  [[nodiscard]] open_port open_plain() {
    listener_options options;
    options.plain = server_context();
    return open(options);
  }

  [[nodiscard]] live_link dial_plain(const endpoint_name& to) {
    connect_options options;
    options.to = to;
    options.plain = agent_context();
    return dial(std::move(options));
  }
};

/// An agent of our own making, so that it can do what a link never does.
struct bare_agent {
  plain_engine engine;
  owned_descriptor fd;
  std::string heard;
  std::string out;
  std::error_code ec;

  bare_agent(const plain_world& world, const endpoint_name& to) : engine(world.agent_context()) {
    std::string why;
    fd = connect_until(addresses_of(to, why).front(), until(), ec);
    REQUIRE(fd);
    REQUIRE_FALSE(engine.start(out));
  }

  static std::chrono::steady_clock::time_point until() {
    return std::chrono::steady_clock::now() + patience;
  }

  void write() { REQUIRE_FALSE(write_until(fd.get(), std::exchange(out, {}), until())); }

  /// False: the server has closed.
  bool read() {
    std::array<char, 4096> buffer{};
    const auto count = read_until(fd.get(), buffer, until(), ec);
    if (count <= 0)
      return false;
    ec = engine.receive(
      bytes_of(std::string_view(buffer.data(), static_cast<std::size_t>(count))), heard, out);
    return true;
  }

  void handshake() {
    write();
    while (!engine.open())
      REQUIRE(read());
    write();
  }
};

} // namespace

TEST_CASE_FIXTURE(plain_socket_world, "a device and its server talk over the plain port") {
  const auto port = open_plain();
  const auto device = dial_plain(port.name());
  REQUIRE_MESSAGE(device, device.detail);
  const auto server = port.next();
  REQUIRE(server);
  CHECK(server.peer.certificate_sha256 == device_leaf.sha256());
  CHECK(device.peer.certificate_sha256 == server_leaf.sha256());
  CHECK_FALSE(server.peer.encrypted);
  CHECK_FALSE(device.peer.encrypted);
  CHECK(server.peer.address == "127.0.0.1");
  server.connection->trust();
  const std::string block(limits::frame_bytes_max, 'b');
  for (int i = 0; i < 300; ++i) {
    REQUIRE(device.connection->try_send("up " + std::to_string(i)));
    REQUIRE(server.connection->try_send("down " + std::to_string(i)));
  }
  REQUIRE(device.connection->try_send(block));
  for (int i = 0; i < 300; ++i) {
    CHECK(server.log->message() == "up " + std::to_string(i));
    CHECK(device.log->message() == "down " + std::to_string(i));
  }
  CHECK((server.log->message() == block));
  device.connection->close();
  CHECK(server.log->end() == std::error_code{});
  CHECK(device.log->end() == std::error_code{});
  CHECK(comes_true([&] { return port.listener->counters().open == 0; }));
  CHECK(port.listener->counters().broken == 0);
}

TEST_CASE_FIXTURE(plain_socket_world, "over TLS a peer knows that nobody else can read") {
  const auto port = open();
  const auto device = dial(port);
  const auto server = port.next();
  CHECK(server.peer.encrypted);
  CHECK(device.peer.encrypted);
}

TEST_CASE_FIXTURE(plain_socket_world, "a frame changed on its way ends the link and is counted") {
  const auto port = open_plain();
  bare_agent agent(*this, port.name());
  agent.handshake();
  const auto server = port.next();
  REQUIRE_FALSE(agent.engine.send(std::string("\0\0\0\3one", 7), agent.out));
  const auto good = agent.out;
  agent.write();
  CHECK(server.log->message() == "one");
  agent.out = good; // the same again
  agent.write();
  CHECK(server.log->end() == errc::altered);
  CHECK(server.log->messages_told() == 1);
  // The agent is told nothing but that it is over, and not in an orderly way.
  while (agent.read()) {
  }
  CHECK_FALSE(agent.engine.peer_closed());
  CHECK(port.listener->counters().broken == 1);
}

TEST_CASE_FIXTURE(plain_socket_world, "a plain stream that ends without its end is truncated") {
  const auto port = open_plain();
  bare_agent agent(*this, port.name());
  agent.handshake();
  const auto server = port.next();
  REQUIRE_FALSE(agent.engine.send(std::string("\0\0\0\3one", 7), agent.out));
  agent.write();
  CHECK(server.log->message() == "one");
  agent.fd.reset();
  CHECK(server.log->end() == errc::truncated);
  CHECK(port.listener->counters().cut == 1);
}

TEST_CASE_FIXTURE(plain_socket_world, "who comes to the wrong port is told which it is") {
  const auto plain_port = open_plain();
  const auto tls_device = dial(plain_port.name(), device_options());
  CHECK_FALSE(tls_device);
  CHECK(comes_true([&] { return plain_port.listener->counters().handshakes_failed == 1; }));

  const auto tls_port = open();
  const auto plain_device = dial_plain(tls_port.name());
  CHECK(plain_device.failure == errc::speaks_tls);
  CHECK(plain_device.detail.find("speaks TLS") != std::string::npos);
}

TEST_CASE_FIXTURE(plain_socket_world, "a plain handshake cut off in the middle leaves nothing behind") {
  const auto port = open_plain();
  std::string hello;
  plain_engine engine(agent_context());
  REQUIRE_FALSE(engine.start(hello));
  for (std::size_t size = 1; size < hello.size(); size += 53) {
    bare_agent agent(*this, port.name());
    agent.out = hello.substr(0, size);
    agent.write();
  }
  CHECK(comes_true([&] { return port.listener->counters().open == 0; }));
  CHECK(port.listener->counters().handshakes_failed == port.listener->counters().accepted);
  CHECK(dial_plain(port.name()));
}

TEST_CASE_FIXTURE(plain_socket_world, "a renewed certificate is shown to the next agent") {
  const auto port = open_plain();
  const auto before = dial_plain(port.name());
  REQUIRE(before);
  CHECK(before.peer.certificate_sha256 == server_leaf.sha256());
  server_leaf = authority.issue(server_key, role::server, server_id, now_s, server_lifetime);
  port.listener->use(server_context());
  const auto after = dial_plain(port.name());
  REQUIRE(after);
  CHECK(after.peer.certificate_sha256 == server_leaf.sha256());
}
