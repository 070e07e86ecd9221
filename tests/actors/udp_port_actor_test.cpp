// The one bridge that is tested with real sockets and a real scheduler: datagrams to a sink, its
// answers back, and the end of a socket as the end of an actor.

#include "net/udp_port_actor.hpp"

#include "net/udp_socket.hpp"

#include <doctest/doctest.h>

#include <caf/actor_cast.hpp>
#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>
#include <caf/exit_reason.hpp>
#include <caf/scoped_actor.hpp>
#include <caf/send.hpp>

#include <poll.h>

#include <sys/socket.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <future>
#include <memory>

using namespace muster;
using namespace muster::actors;
using namespace std::chrono_literals;

namespace {

struct played_sink {
  std::atomic<int> batches{0};
  std::atomic<bool> fails{false};
};

/// Answers each datagram with itself, backwards; nothing to "quiet".
datagram_sink_actor::behavior_type play_sink(datagram_sink_actor::pointer,
                                             std::shared_ptr<played_sink> role) {
  return {[role](atom::datagrams,
                 const net::datagram_batch_ptr& batch) -> caf::result<net::datagram_batch_ptr> {
    ++role->batches;
    if (role->fails)
      return make_error(actors::errc::internal, "played");
    auto out = std::make_shared<net::datagram_batch>();
    for (const auto& one : *batch)
      if (one.bytes != "quiet")
        out->push_back({one.peer, {one.bytes.rbegin(), one.bytes.rend()}});
    return net::datagram_batch_ptr{std::move(out)};
  }};
}

struct config : caf::actor_system_config {
  config() {
    set("scheduler.policy", caf::atom("sharing"));
    set("scheduler.max-threads", std::size_t{2});
  }
};

/// The order of the members is the order of a server: the pool goes before the system.
struct bridge_world {
  config cfg;
  std::shared_ptr<played_sink> role = std::make_shared<played_sink>();
  std::promise<udp_port_actor> opened;
  caf::actor_system sys{cfg};
  net::io_pool pool{1};
  caf::scoped_actor self{sys};
  net::udp_port_options options;
  udp_port_actor port;
  datagram_sink_actor sink;
  bool v6 = false;
  std::error_code ec;
  net::owned_descriptor peer = net::bind_udp("127.0.0.1", 0, 1 << 18, v6, ec);

  bridge_world() {
    REQUIRE(peer);
    sink = sys.spawn(play_sink, role);
    options.name = "tests";
    options.socket.address = "127.0.0.1";
    options.socket.window = 2;
    options.worth = [](std::string_view bytes, const net::udp_endpoint&) {
      return bytes != "forged";
    };
    options.pool = &pool;
    options.sink = sink;
    options.on_open = [this](const udp_port_actor& me) { opened.set_value(me); };
  }
  ~bridge_world() {
    caf::anon_send_exit(port, caf::exit_reason::kill);
    caf::anon_send_exit(sink, caf::exit_reason::kill);
    options = {};
    opened = {};
    port = nullptr;
    sink = nullptr;
    pool.join();
  }

  void open() {
    port = sys.spawn(net::udp_port_bridge, options);
    REQUIRE(bound() != 0);
  }
  std::uint16_t bound() {
    std::uint16_t out = 0;
    self->request(port, caf::infinite, atom::bound_v)
      .receive([&](std::uint16_t number) { out = number; }, [](const caf::error&) {});
    return out;
  }
  std::string text(bool figures) {
    std::string out;
    if (figures)
      self->request(port, caf::infinite, atom::metrics_v)
        .receive([&](const metrics_text& text) { out = *text; }, [](const caf::error&) {});
    else
      self->request(port, caf::infinite, atom::status_v)
        .receive([&](const std::string& text) { out = text; }, [](const caf::error&) {});
    return out;
  }
  void say(const std::string& bytes) {
    const std::vector<net::datagram> one{{*net::make_udp_endpoint("127.0.0.1", bound()), bytes}};
    std::size_t failed = 0;
    REQUIRE(net::send_udp(peer.get(), v6, one, failed, ec) == 1);
  }
  std::string hear(int wait_ms = 20'000) {
    pollfd ready{peer.get(), POLLIN, 0};
    if (::poll(&ready, 1, wait_ms) != 1)
      return "";
    char buffer[64];
    const auto count = ::recv(peer.get(), buffer, sizeof(buffer), 0);
    return {buffer, static_cast<std::size_t>(std::max<ssize_t>(count, 0))};
  }
};

} // namespace

TEST_CASE_FIXTURE(bridge_world, "what passes the filter reaches the sink, and its answers the sender") {
  open();
  say("forged");
  say("abc");
  CHECK(hear() == "cba");
  say("quiet");
  say("def");
  CHECK(hear() == "fed");
  const auto figures = text(true);
  CHECK(figures.find("muster_tests_datagrams_received_total 4\n") != std::string::npos);
  CHECK(figures.find("muster_tests_datagrams_refused_total 1\n") != std::string::npos);
  CHECK(figures.find("muster_tests_datagrams_sent_total") != std::string::npos);
  CHECK(text(false).find("1 refused") != std::string::npos);
}

TEST_CASE_FIXTURE(bridge_world, "credit comes back with the sink's answer, also when it fails") {
  open();
  // The window is two: without credit the third would be dropped.
  role->fails = true;
  for (int i = 0; i < 6; ++i) {
    const auto before = role->batches.load();
    say("lost");
    for (int turns = 0; turns < 2000 && role->batches == before; ++turns)
      static_cast<void>(hear(5));
    REQUIRE(role->batches == before + 1);
    CHECK(bound() != 0); // the answer has been worked off by now
  }
  role->fails = false;
  say("abc");
  CHECK(hear() == "cba");
}

TEST_CASE_FIXTURE(bridge_world, "a port that is open says so, sends for anyone, and frees its number") {
  open();
  auto ready = opened.get_future();
  REQUIRE(ready.wait_for(20s) == std::future_status::ready);
  CHECK(ready.get() == port);
  const auto number = bound();
  const net::datagram_batch batch{
    {*net::make_udp_endpoint("127.0.0.1", net::udp_port_of(peer.get())), "hello"}};
  self->send(port, atom::send_v, std::make_shared<const net::datagram_batch>(batch));
  CHECK(hear() == "hello");

  self->monitor(port);
  self->send_exit(port, caf::exit_reason::kill);
  self->receive([](const caf::down_msg&) {});
  std::promise<void> behind;
  net::run_on(pool.lane(0), [&] { behind.set_value(); });
  behind.get_future().wait();
  options.on_open = {};
  options.socket.port = number;
  open();
  CHECK(bound() == number);
}

TEST_CASE_FIXTURE(bridge_world, "a port that cannot be had ends its actor with the reason") {
  open();
  options.on_open = [](const udp_port_actor&) { FAIL("it is not open"); };
  options.socket.port = bound();
  const auto second = sys.spawn(net::udp_port_bridge, options);
  self->monitor(second);
  self->receive([](const caf::down_msg& down) {
    CHECK(down.reason == make_error(std::make_error_code(std::errc::address_in_use)));
  });
}

TEST_CASE_FIXTURE(bridge_world, "a port without a sink only sends") {
  options.sink = nullptr;
  open();
  say("abc");
  say("def");
  const net::datagram_batch batch{
    {*net::make_udp_endpoint("127.0.0.1", net::udp_port_of(peer.get())), "hello"}};
  self->send(port, atom::send_v, std::make_shared<const net::datagram_batch>(batch));
  CHECK(hear() == "hello");
  CHECK(role->batches == 0);
}
