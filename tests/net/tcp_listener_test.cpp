#include "net/tcp_listener.hpp"

#include "net/client_socket.hpp"
#include "tests/net/socket_world.hpp"

#include <doctest/doctest.h>

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <string>
#include <vector>

using namespace muster::net;
using namespace muster::net::testing;
using namespace std::chrono_literals;

namespace {

/// A TCP connection with nothing of TLS on it.
struct bare_client {
  owned_descriptor fd;

  explicit bare_client(const endpoint_name& to) {
    std::string why;
    std::error_code ec;
    fd = connect_until(addresses_of(to, why).front(), until(), ec);
  }
  static client_deadline until() { return std::chrono::steady_clock::now() + patience; }
  void says(std::string_view text) const { REQUIRE_FALSE(write_until(fd.get(), text, until())); }
  /// Everything until the other side ends or resets; false when it does neither.
  [[nodiscard]] bool is_ended(std::string* heard = nullptr) const {
    std::array<char, 4096> buffer{};
    while (true) {
      std::error_code ec;
      const auto count = read_until(fd.get(), buffer, until(), ec);
      if (ec == errc::timed_out)
        return false;
      if (ec || count == 0)
        return true;
      if (heard != nullptr)
        heard->append(buffer.data(), count);
    }
  }
};

} // namespace

TEST_CASE_FIXTURE(socket_world, "a handshake that never begins is ended and counted") {
  listener_options options;
  options.handshake_max = 100ms;
  const auto port = open(options);
  const bare_client silent(port.name());
  CHECK(silent.is_ended());
  CHECK(comes_true([&] { return port.listener->counters().handshakes_timed_out == 1; }));
  CHECK(port.listener->counters().accepted == 1);
  CHECK(comes_true([&] { return port.listener->counters().open == 0; }));
}

TEST_CASE_FIXTURE(socket_world, "garbage instead of TLS is refused and counted") {
  const auto port = open();
  const std::vector<std::string> garbage = {
    "GET / HTTP/1.1\r\nHost: muster\r\n\r\n",
    std::string(2000, '\xff'),
    std::string("\x16\x03\x01\xff\xff", 5) + std::string(3000, '\0'),
    std::string("\x16\x03\x01\x00\x05\x01\x00\x00\x01\x00", 10),
    std::string("\0\0\0\x05hello", 9),
  };
  std::size_t count = 0;
  for (const auto& bytes : garbage) {
    const bare_client client(port.name());
    client.says(bytes);
    CHECK(client.is_ended());
    ++count;
    CHECK(comes_true([&] { return port.listener->counters().handshakes_failed == count; }));
  }
  CHECK(comes_true([&] { return port.listener->counters().open == 0; }));
  CHECK(dial(port));
}

TEST_CASE_FIXTURE(socket_world, "a handshake cut off in the middle leaves nothing behind") {
  const auto port = open();
  tls_engine engine(*context(device_options()), nullptr);
  std::string hello;
  REQUIRE_FALSE(engine.start(hello));
  for (std::size_t size = 1; size < hello.size(); size += 37) {
    const bare_client client(port.name());
    client.says(std::string_view(hello).substr(0, size));
  }
  CHECK(comes_true([&] { return port.listener->counters().open == 0; }));
  CHECK(port.listener->counters().handshakes_failed == port.listener->counters().accepted);
  CHECK(dial(port));
}

TEST_CASE_FIXTURE(socket_world, "a wrong pin is told on both sides, with the address") {
  const auto port = open();
  auto wrong = device_options();
  wrong.server.authority_pin = sha256_digest{};
  const auto device = dial(port.name(), wrong);
  CHECK_FALSE(device);
  CHECK(device.failure == errc::pin_mismatch);
  CHECK(device.detail.find("127.0.0.1: ") != std::string::npos);
  CHECK(device.detail.find("not the pinned one") != std::string::npos);
  CHECK(comes_true([&] { return port.listener->counters().handshakes_failed == 1; }));
}

TEST_CASE_FIXTURE(socket_world, "every address of a name is tried, and each failure is told") {
  auto port = open();
  // IPv6 has nobody on this port, or there is none; IPv4 answers.
  const auto device = dial({"localhost", port.listener->port()}, device_options());
  CHECK_MESSAGE(device, device.detail);
  const auto closed = port.name();
  port.listener.reset();
  CHECK(comes_true([&] { return !bare_client(closed).fd; }));
  const auto refused = dial(closed, device_options());
  CHECK_FALSE(refused);
  CHECK(refused.failure == std::errc::connection_refused);
  CHECK(refused.detail.find("127.0.0.1: ") != std::string::npos);
  CHECK(dial({"no-such-host.invalid", 1}, device_options()).failure == errc::name_not_found);
}

TEST_CASE_FIXTURE(socket_world, "an address in use is an error, not a wait") {
  const auto port = open();
  listener_options options;
  options.address = "127.0.0.1";
  options.port = port.listener->port();
  options.tls = context(server_options());
  std::error_code ec;
  CHECK(tcp_listener::open(
          pool, options, [](const accepted_ptr&) {}, [](std::error_code) {}, ec) == nullptr);
  CHECK(ec == std::errc::address_in_use);
  options.address = "not an address";
  CHECK(tcp_listener::open(
          pool, options, [](const accepted_ptr&) {}, [](std::error_code) {}, ec) == nullptr);
  CHECK(ec);
}

TEST_CASE_FIXTURE(socket_world, "above the connection cap newcomers are reset, until one leaves") {
  listener_options options;
  options.connections_max = 2;
  const auto port = open(options);
  const auto first = dial(port);
  auto second = dial(port);
  REQUIRE(first);
  REQUIRE(second);
  const std::array held{port.next(), port.next()};
  const bare_client third(port.name());
  CHECK((!third.fd || third.is_ended())); // the reset may come before connect() is through
  CHECK(comes_true([&] { return port.listener->counters().refused_full == 1; }));
  second.connection.reset();
  CHECK(comes_true([&] { return port.listener->counters().open == 1; }));
  CHECK(dial(port));
}

TEST_CASE_FIXTURE(socket_world, "above the handshakes allowed newcomers wait for their turn") {
  listener_options options;
  options.handshakes_max = 1;
  const auto port = open(options);
  bare_client slow(port.name());
  CHECK(comes_true([&] { return port.listener->counters().accepted == 1; }));
  bare_client behind(port.name()); // connected by the kernel, and that is all
  CHECK(port.listener->counters().accepted == 1);
  slow.fd.reset();
  CHECK(comes_true([&] { return port.listener->counters().accepted == 2; }));
  behind.fd.reset();
  CHECK(dial(port));
  CHECK(port.listener->counters().handshakes_failed == 2);
}

TEST_CASE_FIXTURE(socket_world, "connections above the rate wait, and all come in") {
  listener_options options;
  options.accepts_per_second_max = 20;
  const auto port = open(options);
  const auto begin = std::chrono::steady_clock::now();
  for (int i = 0; i < 25; ++i)
    REQUIRE(dial(port));
  // Twenty at once, the others one every 50 ms.
  CHECK(std::chrono::steady_clock::now() - begin >= 200ms);
  CHECK(port.listener->counters().accepted == 25);
}

TEST_CASE_FIXTURE(socket_world, "closing a port frees it, ends handshakes and spares links") {
  auto port = open();
  const auto device = dial(port);
  const auto server = port.next();
  const bare_client halfway(port.name());
  CHECK(comes_true([&] { return port.listener->counters().accepted == 2; }));
  const auto number = port.listener->port();
  port.listener->close();
  port.listener->close();
  CHECK(halfway.is_ended());
  REQUIRE(device.connection->try_send("still here"));
  CHECK(server.log->message() == "still here");
  std::optional<open_port> again;
  listener_options options;
  options.address = "127.0.0.1";
  options.port = number;
  options.tls = context(server_options());
  std::shared_ptr<tcp_listener> next;
  CHECK(comes_true([&] {
    std::error_code ec;
    next = tcp_listener::open(
      pool, options, [](const accepted_ptr&) {}, [](std::error_code) {}, ec);
    return next != nullptr;
  }));
}

TEST_CASE_FIXTURE(socket_world, "closing catches a connection at every moment of its beginning") {
  for (int round = 0; round < 200; ++round) {
    listener_options options;
    options.handshake_max = 1h;
    const auto port = open(options);
    const bare_client newcomer(port.name());
    REQUIRE(newcomer.fd);
    if (round % 2 == 0)
      REQUIRE(comes_true([&] { return port.listener->counters().accepted == 1; }));
    port.listener->close();
    REQUIRE(newcomer.is_ended());
  }
}

TEST_CASE_FIXTURE(socket_world, "who is told of a link may close the port") {
  handover<std::string> told;
  std::shared_ptr<tcp_listener> listener;
  listener_options options;
  options.address = "127.0.0.1";
  options.tls = context(server_options());
  std::error_code ec;
  handover<bool> go;
  listener = tcp_listener::open(
    pool, options,
    // What the callback holds must outlive the closing.
    [&, held = std::string(100, 'h')](const accepted_ptr&) {
      static_cast<void>(go.take());
      listener->close();
      told.put(held);
    },
    [](std::error_code) {}, ec);
  REQUIRE(listener);
  go.put(true);
  const auto device = dial({"127.0.0.1", listener->port()}, device_options());
  CHECK(told.take() == std::string(100, 'h'));
}

TEST_CASE_FIXTURE(socket_world, "a renewed certificate is shown from the next connection on") {
  const auto port = open();
  REQUIRE(dial(port).peer.certificate_sha256 == server_leaf.sha256());
  server_key = key_pair::generate();
  server_leaf = authority.issue(server_key, role::server, server_id, now_s, server_lifetime);
  port.listener->use(context(server_options()));
  CHECK(dial(port).peer.certificate_sha256 == server_leaf.sha256());
}

TEST_CASE_FIXTURE(socket_world, "an IPv4 client of a port for both families keeps its address") {
  listener_options options;
  options.address = "::0"; // the same as "::", which this fixture takes for "fill in"
  const auto port = open(options);
  REQUIRE(dial(port));
  CHECK(port.next().peer.address == "127.0.0.1");
}

namespace {

/// In a process of its own: few descriptors, more clients than that. Returns what went wrong.
int run_out_of_descriptors() {
  constexpr rlim_t descriptors = 64;
  const rlimit few{descriptors, descriptors};
  socket_world world;
  listener_options options;
  options.connections_max = 1000;
  const auto port = world.open(options);
  if (::setrlimit(RLIMIT_NOFILE, &few) != 0)
    return 1;
  // Nothing is left but one, which the client takes: the port finds it and has none.
  std::vector<owned_descriptor> taken;
  while (taken.empty() || taken.back())
    taken.emplace_back(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  taken.pop_back();
  taken.pop_back();
  const bare_client newcomer(port.name());
  // The reset may even come before connect() is through.
  if (newcomer.fd && !newcomer.is_ended())
    return 2;
  if (!comes_true([&] { return port.listener->counters().refused_full > 0; }) ||
      port.listener->counters().accepted != 0)
    return 6;
  // It waits, it does not spin.
  rusage used{};
  ::getrusage(RUSAGE_SELF, &used);
  const auto cpu = [](const rusage& u) {
    return u.ru_utime.tv_sec * 1'000'000 + u.ru_utime.tv_usec + u.ru_stime.tv_sec * 1'000'000 +
           u.ru_stime.tv_usec;
  };
  const auto until = std::chrono::steady_clock::now() + 500ms;
  if (!comes_true([&] { return std::chrono::steady_clock::now() > until; }))
    return 3;
  rusage later{};
  ::getrusage(RUSAGE_SELF, &later);
  if (cpu(later) - cpu(used) > 250'000)
    return 4;
  // And it comes back.
  taken.clear();
  if (!comes_true([&] { return world.dial(port).connection != nullptr; }))
    return 5;
  return 0;
}

/// UndefinedBehaviorSanitizer opens a pipe to look at an object that it meets for the first time,
/// and takes one that it cannot look at for none.
#ifdef __SANITIZE_ADDRESS__
constexpr bool sanitizer_needs_descriptors = true;
#else
constexpr bool sanitizer_needs_descriptors = false;
#endif

} // namespace

TEST_CASE("a port without descriptors sheds newcomers, waits, and comes back"
          * doctest::skip(sanitizer_needs_descriptors)) {
  const auto child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0)
    ::_exit(run_out_of_descriptors());
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  CHECK(WIFEXITED(status));
  const int wrong = WEXITSTATUS(status);
  CHECK(wrong == 0);
}
