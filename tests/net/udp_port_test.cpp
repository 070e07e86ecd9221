#include "net/udp_port.hpp"

#include "net/udp_socket.hpp"

#include <doctest/doctest.h>

#include <poll.h>

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <future>
#include <mutex>

using namespace muster::net;
using namespace std::chrono_literals;

namespace {

/// A port whose datagrams the test collects, and sockets beside it.
struct udp_world {
  std::mutex mutex;
  std::condition_variable changed;
  std::vector<datagram> got;
  std::vector<std::size_t> batches;
  std::error_code failure;
  io_pool pool{1};
  udp_options options{.address = "127.0.0.1"};
  std::shared_ptr<udp_port> port;

  ~udp_world() {
    port.reset();
    pool.join();
  }

  void open(udp_port::filter worth = [](std::string_view, const udp_endpoint&) { return true; }) {
    std::error_code ec;
    port = udp_port::open(
      pool, options, std::move(worth),
      [this](const datagram_batch_ptr& batch) {
        const std::lock_guard lock(mutex);
        batches.push_back(batch->size());
        got.insert(got.end(), batch->begin(), batch->end());
        changed.notify_all();
      },
      [this](std::error_code why) {
        const std::lock_guard lock(mutex);
        failure = why;
        changed.notify_all();
      },
      ec);
    REQUIRE_MESSAGE(port != nullptr, ec.message());
  }
  bool wait_for(std::size_t count) {
    std::unique_lock lock(mutex);
    return changed.wait_for(lock, 20s, [&] { return got.size() >= count; });
  }
  /// Until a figure that no callback tells of has come so far.
  template <class Condition>
  bool eventually(Condition condition) {
    std::unique_lock lock(mutex);
    for (int i = 0; i < 4000; ++i)
      if (changed.wait_for(lock, 5ms, condition))
        return true;
    return false;
  }
  udp_endpoint here(const char* address = "127.0.0.1") const {
    return *make_udp_endpoint(address, port->port());
  }
};

/// A plain socket of somebody else.
struct stranger {
  bool v6 = false;
  std::error_code ec;
  owned_descriptor fd;
  std::deque<datagram> heard;

  explicit stranger(const char* address = "127.0.0.1")
    : fd(bind_udp(address, 0, 1 << 20, v6, ec)) {
    REQUIRE_MESSAGE(fd, ec.message());
  }
  void say(const udp_endpoint& to, const std::string& bytes) {
    const std::vector<datagram> one{{to, bytes}};
    std::size_t failed = 0;
    REQUIRE(send_udp(fd.get(), v6, one, failed, ec) == 1);
    REQUIRE(failed == 0);
  }
  std::string hear(udp_endpoint* from = nullptr) {
    pollfd ready{fd.get(), POLLIN, 0};
    if (heard.empty() && ::poll(&ready, 1, 20'000) == 1) {
      udp_inbox inbox(1500);
      const auto count = inbox.receive(fd.get(), ec);
      for (std::size_t i = 0; i < count; ++i)
        heard.push_back({inbox.from(i), std::string(inbox.bytes(i))});
    }
    if (heard.empty())
      return "nothing came";
    const auto first = heard.front();
    heard.pop_front();
    if (from != nullptr)
      *from = first.peer;
    return first.bytes;
  }
  [[nodiscard]] udp_endpoint where(const char* address = "127.0.0.1") const {
    return *make_udp_endpoint(address, udp_port_of(fd.get()));
  }
};

/// Not every machine has it.
bool has_v6() {
  bool v6 = false;
  std::error_code ec;
  return static_cast<bool>(bind_udp("::1", 0, 1 << 16, v6, ec));
}

} // namespace

TEST_CASE("endpoints have one form whatever the family, and a text that says which") {
  const auto v4 = make_udp_endpoint("192.0.2.1", 15000);
  const auto mapped = make_udp_endpoint("::ffff:192.0.2.1", 15000);
  REQUIRE((v4 && mapped));
  CHECK(*v4 == *mapped);
  CHECK(text_of(*v4) == "192.0.2.1:15000");
  CHECK(text_of(*make_udp_endpoint("2001:db8::1", 1)) == "[2001:db8::1]:1");
  CHECK_FALSE(make_udp_endpoint("localhost", 1).has_value());
  CHECK_FALSE(make_udp_endpoint("", 1).has_value());
  CHECK_FALSE(make_udp_endpoint("192.0.2.256", 1).has_value());
}

TEST_CASE_FIXTURE(udp_world, "what passes the filter arrives with its sender, what does not is counted") {
  open([](std::string_view bytes, const udp_endpoint&) { return bytes.starts_with("good"); });
  stranger peer;
  peer.say(here(), "bad");
  peer.say(here(), "good 1");
  peer.say(here(), "");
  peer.say(here(), "good 2");
  REQUIRE(wait_for(2));
  CHECK(got[0].bytes == "good 1");
  CHECK(got[1].bytes == "good 2");
  CHECK(got[0].peer == peer.where());
  CHECK(eventually([&] { return port->counters().received == 4; }));
  CHECK(port->counters().refused == 2);
}

TEST_CASE_FIXTURE(udp_world, "a datagram above the bound is refused without a look, one at the bound is not") {
  options.bytes_max = 100;
  std::atomic<std::size_t> longest{0};
  open([&](std::string_view bytes, const udp_endpoint&) {
    longest = std::max<std::size_t>(longest, bytes.size());
    return true;
  });
  stranger peer;
  peer.say(here(), std::string(101, 'x'));
  peer.say(here(), std::string(1400, 'x'));
  peer.say(here(), std::string(100, 'x'));
  REQUIRE(wait_for(1));
  CHECK(got[0].bytes.size() == 100);
  CHECK(longest == 100);
  CHECK(port->counters().refused == 2);
}

TEST_CASE_FIXTURE(udp_world, "a burst arrives complete, in order and in batches") {
  open();
  stranger peer;
  constexpr std::size_t burst = 200;
  for (std::size_t i = 0; i < burst; ++i)
    peer.say(here(), std::to_string(i));
  REQUIRE(wait_for(burst));
  for (std::size_t i = 0; i < burst; ++i)
    CHECK(got[i].bytes == std::to_string(i));
  CHECK(batches.size() < burst / 2);
}

TEST_CASE_FIXTURE(udp_world, "beyond the window good datagrams are dropped and counted until some are done with") {
  options.window = 3;
  open();
  stranger peer;
  for (int i = 0; i < 5; ++i)
    peer.say(here(), std::to_string(i));
  CHECK(eventually([&] { return port->counters().dropped_busy == 2; }));
  {
    const std::lock_guard lock(mutex);
    CHECK(got.size() == 3);
  }
  port->grant(3);
  peer.say(here(), "again");
  REQUIRE(wait_for(4));
  CHECK(got[3].bytes == "again");
}

TEST_CASE_FIXTURE(udp_world, "a flood leaves the thread to others, and a good datagram in it arrives") {
  open([](std::string_view bytes, const udp_endpoint&) { return bytes == "good"; });
  std::atomic<bool> stop{false};
  auto flood = std::async(std::launch::async, [&] {
    stranger peer;
    const std::vector<datagram> forged(64, datagram{here(), std::string(130, 'f')});
    std::size_t failed = 0;
    while (!stop)
      static_cast<void>(send_udp(peer.fd.get(), peer.v6, forged, failed, peer.ec));
  });
  CHECK(eventually([&] { return port->counters().received > 1000; }));
  // Others on the same thread have their turns meanwhile.
  for (int i = 0; i < 20; ++i) {
    std::promise<void> ran;
    run_on(pool.lane(0), [&] { ran.set_value(); });
    CHECK(ran.get_future().wait_for(10s) == std::future_status::ready);
  }
  // As a wake is tried again: the kernel may drop one.
  stranger genuine;
  CHECK(eventually([&] {
    if (got.empty())
      genuine.say(here(), "good");
    return !got.empty();
  }));
  stop = true;
  flood.get();
  CHECK(port->counters().refused > 1000);
}

TEST_CASE_FIXTURE(udp_world, "batches are sent in order, and what cannot be sent stops nobody") {
  open();
  stranger peer;
  auto batch = std::make_shared<datagram_batch>();
  batch->push_back({peer.where(), "first"});
  batch->push_back({*make_udp_endpoint("2001:db8::1", 9), "no such family here"});
  batch->push_back({peer.where(), "second"});
  port->send(batch);
  udp_endpoint from;
  CHECK(peer.hear(&from) == "first");
  CHECK(from == here());
  CHECK(peer.hear() == "second");
  CHECK(eventually([&] { return port->counters().sent == 2; }));
  CHECK(port->counters().send_failed == 1);
}

TEST_CASE_FIXTURE(udp_world, "a queue that is full takes no further batch, and says how many were lost") {
  options.queue_max = 10;
  open();
  stranger peer;
  const auto batch =
    std::make_shared<const datagram_batch>(6, datagram{peer.where(), std::string("x")});
  std::promise<void> go;
  auto gate = go.get_future().share();
  run_on(pool.lane(0), [gate] { gate.wait(); }); // the thread is busy
  port->send(batch);
  port->send(batch);
  CHECK(port->counters().send_dropped == 6);
  go.set_value();
  CHECK(eventually([&] { return port->counters().sent == 6; }));
  port->send(batch);
  CHECK(eventually([&] { return port->counters().sent == 12; }));
}

TEST_CASE_FIXTURE(udp_world, "one port serves IPv4 and IPv6") {
  if (!has_v6()) {
    MESSAGE("no IPv6 on this machine: only that the port falls back is seen");
  }
  options.address = "::";
  open();
  stranger v4;
  v4.say(here(), "four");
  REQUIRE(wait_for(1));
  CHECK(got[0].peer == v4.where());
  port->send(std::make_shared<datagram_batch>(1, datagram{got[0].peer, "back"}));
  CHECK(v4.hear() == "back");
  if (has_v6()) {
    stranger v6("::1");
    v6.say(here("::1"), "six");
    REQUIRE(wait_for(2));
    CHECK(got[1].peer == v6.where("::1"));
    port->send(std::make_shared<datagram_batch>(1, datagram{got[1].peer, "back"}));
    CHECK(v6.hear() == "back");
  }
}

TEST_CASE_FIXTURE(udp_world, "a port that is taken, and an address that is none, say so") {
  open();
  std::error_code ec;
  auto second = options;
  second.port = port->port();
  const auto nobody = [](const auto&...) {};
  const auto never = [](std::string_view, const udp_endpoint&) { return false; };
  CHECK(udp_port::open(pool, second, never, nobody, nobody, ec) == nullptr);
  CHECK(ec == std::errc::address_in_use);
  second.address = "nowhere";
  CHECK(udp_port::open(pool, second, never, nobody, nobody, ec) == nullptr);
  CHECK(ec == std::errc::invalid_argument);
}

TEST_CASE_FIXTURE(udp_world, "after close nothing is told, and the port is free for a successor") {
  open();
  stranger peer;
  const auto number = port->port();
  port->close();
  peer.say(*make_udp_endpoint("127.0.0.1", number), "late");
  std::promise<void> behind;
  run_on(pool.lane(0), [&] { behind.set_value(); });
  REQUIRE(behind.get_future().wait_for(20s) == std::future_status::ready);
  port->send(std::make_shared<datagram_batch>(1, datagram{peer.where(), "never"}));
  options.port = number;
  open();
  peer.say(here(), "again");
  REQUIRE(wait_for(1));
  CHECK(got[0].bytes == "again");
}

TEST_CASE_FIXTURE(udp_world, "a port outlives its pool harmlessly") {
  open();
  pool.join();
  port->send(std::make_shared<datagram_batch>(1, datagram{here(), "never"}));
  port->grant(0);
  port->close();
  CHECK(port->counters().sent == 0);
}
