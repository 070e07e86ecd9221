// Must hold: a device that says that it goes is believed once, acknowledged each time, and nobody
// else is answered anything.

#include "net/notice.hpp"
#include "net/udp_socket.hpp"
#include "tests/system/agent_side.hpp"

#include <doctest/doctest.h>

#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <vector>

using namespace muster;
using namespace muster::test;
using namespace std::chrono_literals;

namespace {

/// A device that has been in a session, and its datagram socket.
struct leaving_device {
  wire_identity who;
  net::datagram_key key{};
  bool v6 = false;
  std::error_code ec;
  net::owned_descriptor fd = net::bind_udp("127.0.0.1", 0, 1 << 20, v6, ec);

  leaving_device(server_under_test& server, const std::string& name)
    : who(server.enrol_wire_device(name)) {
    REQUIRE(fd);
    visit(server);
  }

  /// A session, in which it gets its keys.
  void visit(server_under_test& server) {
    wire_client client;
    REQUIRE(client.connect(who, server.agents_port()) == "");
    REQUIRE(client.say(make_hello(who)));
    const auto answer = client.hear();
    REQUIRE(answer.has_value());
    REQUIRE(answer->has_welcome());
    REQUIRE(answer->welcome().datagram_keys_size() == 1);
    const auto& text = answer->welcome().datagram_keys(0).notice_key();
    REQUIRE(text.size() == key.size());
    std::copy(text.begin(), text.end(), key.begin());
    client.hang_up();
  }

  [[nodiscard]] net::notice next_notice() {
    net::notice out;
    out.generation = 1;
    std::copy_n(who.device_id.begin(), out.device_id.size(), out.device_id.begin());
    std::copy_n(who.boot.begin(), out.boot_id.size(), out.boot_id.begin());
    out.counter = ++who.counter;
    out.reason = net::notice_reason::shutdown;
    return out;
  }
  void say(const server_under_test& server, const std::vector<std::string>& datagrams) {
    std::vector<net::datagram> batch;
    for (const auto& bytes : datagrams)
      batch.push_back({*net::make_udp_endpoint("127.0.0.1", server.notices_port()), bytes});
    for (std::span rest(std::as_const(batch)); !rest.empty();) {
      std::size_t failed = 0;
      rest = rest.subspan(net::send_udp(fd.get(), v6, rest, failed, ec));
    }
  }
  /// Everything that comes within this time of silence.
  [[nodiscard]] std::vector<std::string> hear(std::chrono::milliseconds silence) {
    std::vector<std::string> out;
    pollfd ready{fd.get(), POLLIN, 0};
    while (::poll(&ready, 1, static_cast<int>(silence.count())) == 1) {
      char buffer[512];
      const auto count = ::recv(fd.get(), buffer, sizeof(buffer), 0);
      REQUIRE(count >= 0);
      out.emplace_back(buffer, static_cast<std::size_t>(count));
    }
    return out;
  }
  /// Tries as an agent does, with more patience.
  [[nodiscard]] bool is_acknowledged(const server_under_test& server, const net::notice& what,
                                     std::chrono::milliseconds time = patience) {
    return eventually(
      [&] {
        say(server, {net::make_notice(what, key)});
        for (const auto& answer : hear(350ms))
          if (net::check_acknowledgement(answer, what, key))
            return true;
        return false;
      },
      time);
  }
};

} // namespace

TEST_CASE("a notice is acknowledged when it is on record, and survives a killed server") {
  server_under_test server;
  server.start();
  leaving_device mill(server, "mill");
  const auto said = mill.next_notice();
  REQUIRE(mill.is_acknowledged(server, said));
  // The worst moment: the device believes us and is gone, and we are killed.
  server.kill();
  server.start();
  const console_under_test console{server};
  CHECK(state_of(console, "mill") == "off");
  // A try that was under way is acknowledged still, and a recorded one changes nothing later.
  CHECK(mill.is_acknowledged(server, said));
  mill.visit(server);
  CHECK(state_of(console, "mill") != "off");
  CHECK_FALSE(mill.is_acknowledged(server, said, 1s));
  CHECK(state_of(console, "mill") != "off");
}

TEST_CASE("strangers are answered nothing, and a genuine notice gets through their flood") {
  server_under_test server;
  server.start();
  leaving_device mill(server, "mill");
  leaving_device forger(server, "forger");
  const auto recorded = net::make_notice(mill.next_notice(), forger.key);
  std::vector<std::string> forged;
  for (std::size_t i = 0; i < recorded.size(); ++i) {
    forged.push_back(recorded.substr(0, i));
    forged.push_back(recorded);
    forged.back()[i] = static_cast<char>(forged.back()[i] ^ 1);
  }
  forged.push_back(recorded + "x");
  forger.say(server, forged);
  for (int i = 0; i < 40; ++i)
    forger.say(server, forged);
  const auto said = mill.next_notice();
  CHECK(mill.is_acknowledged(server, said));
  CHECK(forger.hear(500ms).empty());
  const console_under_test console{server};
  // As soon as the server has also seen its connection end.
  CHECK(eventually([&] { return state_of(console, "mill") == "off"; }));
  CHECK(state_of(console, "forger") != "off");
}
