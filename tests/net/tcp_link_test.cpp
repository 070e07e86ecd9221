#include "net/tcp_link.hpp"

#include "net/client_socket.hpp"
#include "tests/net/socket_world.hpp"

#include <doctest/doctest.h>

#include <string>
#include <vector>

using namespace muster::net;
using namespace muster::net::testing;
using namespace std::chrono_literals;

TEST_CASE_FIXTURE(socket_world, "a device and its server know each other and talk both ways") {
  const auto port = open();
  const auto device = dial(port);
  REQUIRE_MESSAGE(device, device.detail);
  const auto server = port.next();
  REQUIRE(server);
  CHECK(server.peer.certificate_sha256 == device_leaf.sha256());
  CHECK(device.peer.certificate_sha256 == server_leaf.sha256());
  CHECK(server.peer.address == "127.0.0.1");
  CHECK(device.peer.port == port.listener->port());
  CHECK_FALSE(server.peer.resumed);
  CHECK_FALSE(server.peer.exporter.has_value());
  for (int i = 0; i < 1000; ++i) {
    REQUIRE(device.connection->try_send("up " + std::to_string(i)));
    REQUIRE(server.connection->try_send("down " + std::to_string(i)));
  }
  for (int i = 0; i < 1000; ++i) {
    CHECK(server.log->message() == "up " + std::to_string(i));
    CHECK(device.log->message() == "down " + std::to_string(i));
  }
  REQUIRE(device.connection->try_send(""));
  CHECK(server.log->message() == "");
  CHECK(bytes_of(*device.connection).out > 1000);
  // What has arrived may be counted a moment before what was sent.
  CHECK(comes_true(
    [&] { return bytes_of(*server.connection).in == bytes_of(*device.connection).out; }));
}

TEST_CASE_FIXTURE(socket_world,
                  "a stranger has no certificate and the same exporter on both ends") {
  const auto port = open();
  const auto stranger = dial(port.name(), stranger_options());
  const auto server = port.next();
  REQUIRE(stranger);
  REQUIRE(server);
  CHECK_FALSE(server.peer.certificate_sha256.has_value());
  REQUIRE(server.peer.exporter.has_value());
  CHECK(server.peer.exporter == stranger.peer.exporter);
}

TEST_CASE_FIXTURE(socket_world, "a message is delivered for each credit, and no other") {
  const auto port = open();
  const auto device = dial(port);
  const auto server = port.next(2);
  for (int i = 0; i < 5; ++i)
    REQUIRE(device.connection->try_send(std::to_string(i)));
  CHECK(server.log->message() == "0");
  CHECK(server.log->message() == "1");
  // All five are on their way before this answer is.
  REQUIRE(server.connection->try_send("answer"));
  CHECK(device.log->message() == "answer");
  CHECK(server.log->messages_told() == 2);
  server.connection->grant(1);
  CHECK(server.log->message() == "2");
  server.connection->grant(10);
  CHECK(server.log->message() == "3");
  CHECK(server.log->message() == "4");
}

TEST_CASE_FIXTURE(socket_world,
                  "without credit the socket is not read and the sender's queue fills") {
  const auto port = open();
  const auto device = dial(port);
  const auto server = port.next(0);
  server.connection->trust();
  const std::string block(64 * 1024, 'b');
  // What fits into the two kernels and the queue, and not one more.
  std::size_t accepted = 0;
  const auto refused = [&] {
    while (device.connection->try_send(block))
      ++accepted;
    return bytes_of(*device.connection).out > 0;
  };
  std::uint64_t before = 0;
  CHECK(comes_true([&] {
    // Full twice in a row without a byte having left in between.
    REQUIRE(refused());
    const auto now = bytes_of(*device.connection).out;
    return now == std::exchange(before, now);
  }));
  CHECK(accepted * block.size() >= limits::outbound_bytes_max / 2);
  CHECK(server.log->messages_told() == 0);
  CHECK_FALSE(server.log->has_ended());
  server.connection->grant(accepted);
  for (std::size_t i = 0; i < accepted; ++i)
    REQUIRE((server.log->message() == block));
  CHECK(comes_true([&] { return device.connection->try_send("room again"); }));
}

TEST_CASE_FIXTURE(socket_world, "closing sends what was queued, then says goodbye") {
  const auto port = open();
  const auto device = dial(port);
  const auto server = port.next();
  device.connection->trust();
  const std::string block(100'000, 'b');
  for (int i = 0; i < 30; ++i)
    REQUIRE(server.connection->try_send(block + std::to_string(i)));
  server.connection->close();
  CHECK_FALSE(server.connection->try_send("too late"));
  for (int i = 0; i < 30; ++i)
    REQUIRE((device.log->message() == block + std::to_string(i)));
  CHECK(device.log->end() == std::error_code{});
  CHECK(server.log->end() == std::error_code{});
  CHECK_FALSE(device.connection->try_send("nobody there"));
  CHECK(comes_true([&] { return port.listener->counters().open == 0; }));
}

TEST_CASE_FIXTURE(socket_world, "the last handle gone closes the connection in an orderly way") {
  const auto port = open();
  const auto device = dial(port);
  auto server = port.next();
  REQUIRE(server.connection->try_send("last words"));
  server.connection.reset();
  CHECK(device.log->message() == "last words");
  CHECK(device.log->end() == std::error_code{});
  CHECK(server.log->end() == std::error_code{});
}

TEST_CASE_FIXTURE(socket_world, "a finished link that nobody attaches to goes as well") {
  const auto port = open();
  const auto device = dial(port);
  static_cast<void>(port.accepted->take());
  CHECK(device.log->end() == std::error_code{});
}

TEST_CASE_FIXTURE(socket_world, "who attaches after the end is told of it") {
  const auto port = open();
  auto device = dial(port);
  const auto raw = port.accepted->take();
  REQUIRE(raw.has_value());
  raw->connection->close();
  CHECK(device.log->end() == std::error_code{});
  CHECK(comes_true([&] { return port.listener->counters().open == 0; }));
  struct sink final : link_sink {
    explicit sink(bool& flag) : told(flag) {}
    void on_message(std::string) override {}
    void on_closed(std::error_code) override { told = true; }
    bool& told;
  };
  bool told = false;
  raw->connection->attach(std::make_unique<sink>(told));
  CHECK(told);
}

TEST_CASE_FIXTURE(socket_world, "a message above the limit ends a stranger, not whom we trust") {
  const auto port = open();
  const std::string large(limits::frame_bytes_anonymous_max + 1, 'x');
  const auto stranger = dial(port);
  const auto server = port.next();
  REQUIRE(stranger.connection->try_send(std::string(limits::frame_bytes_anonymous_max, 'x')));
  CHECK(server.log->message()->size() == limits::frame_bytes_anonymous_max);
  REQUIRE(stranger.connection->try_send(large));
  CHECK(server.log->end() == errc::frame_too_large);
  CHECK(server.log->messages_told() == 1);

  const auto device = dial(port);
  const auto trusting = port.next(0);
  trusting.connection->trust();
  trusting.connection->grant(2);
  REQUIRE(device.connection->try_send(std::string(limits::frame_bytes_max, 'x')));
  CHECK(trusting.log->message()->size() == limits::frame_bytes_max);
}

TEST_CASE_FIXTURE(socket_world, "who says nothing after the handshake is sent away") {
  listener_options options;
  options.first_message_max = 200ms;
  const auto port = open(options);
  // Nobody grants this one credit: the silence is ours.
  const auto unread = dial(port);
  const auto not_reading = port.next(0);
  const auto talker = dial(port);
  const auto listening = port.next();
  REQUIRE(talker.connection->try_send("hello"));
  CHECK(listening.log->message() == "hello");
  const auto silent = dial(port);
  const auto server = port.next();
  CHECK(server.log->end() == errc::timed_out);
  CHECK(silent.log->end() == std::error_code{});
  CHECK_FALSE(not_reading.log->has_ended());
  CHECK_FALSE(listening.log->has_ended());
}

TEST_CASE_FIXTURE(socket_world, "a peer that vanishes without a word is told apart") {
  const auto port = open();
  // A client of our own making, so that it can end without close_notify.
  std::string why;
  const auto to = addresses_of(port.name(), why);
  std::error_code ec;
  auto fd = connect_until(to.front(), std::chrono::steady_clock::now() + patience, ec);
  REQUIRE(fd);
  tls_engine engine(*context(device_options()), nullptr);
  std::string out;
  REQUIRE_FALSE(engine.start(out));
  std::string plain;
  std::array<char, 4096> buffer{};
  const auto until = std::chrono::steady_clock::now() + patience;
  while (!engine.open()) {
    REQUIRE_FALSE(write_until(fd.get(), std::exchange(out, {}), until));
    const auto count = read_until(fd.get(), buffer, until, ec);
    REQUIRE(count > 0);
    REQUIRE_FALSE(engine.receive(bytes_of(std::string_view(buffer.data(), count)), plain, out));
  }
  REQUIRE_FALSE(engine.send(std::string("\0\0\0\x05he", 6), out)); // in the middle of a frame
  REQUIRE_FALSE(write_until(fd.get(), out, until));
  const auto server = port.next();
  fd.reset();
  CHECK(server.log->end() == errc::truncated);
  CHECK(server.log->messages_told() == 0);
}

TEST_CASE_FIXTURE(socket_world, "a session resumes over real sockets, and the listener counts it") {
  const auto port = open();
  const auto first = dial(port);
  const auto at_server = port.next();
  REQUIRE(at_server.connection->try_send("ticket goes with this"));
  REQUIRE(first.log->message().has_value());
  REQUIRE_FALSE(sessions.empty());
  const auto second = dial(port.name(), device_options(), sessions.back());
  const auto again = port.next();
  REQUIRE(second);
  CHECK(second.peer.resumed);
  CHECK(again.peer.resumed);
  CHECK(again.peer.certificate_sha256 == device_leaf.sha256());
  CHECK(port.listener->counters().resumed == 1);
}

TEST_CASE_FIXTURE(socket_world, "links that outlive the io threads have ended and do nothing") {
  const auto port = open();
  const auto device = dial(port);
  const auto server = port.next();
  REQUIRE(server.connection->try_send("sent before the join"));
  pool.join();
  CHECK(device.log->end() == std::make_error_code(std::errc::operation_canceled));
  CHECK(server.log->end() == std::make_error_code(std::errc::operation_canceled));
  CHECK_FALSE(server.connection->try_send("after"));
  server.connection->grant(1);
  server.connection->trust();
  server.connection->close();
}
