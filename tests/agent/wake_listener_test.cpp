#include "actors/agent/wake_listener.hpp"

#include "net/io_pool.hpp"

#include <doctest/doctest.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

using namespace muster;
using namespace muster::actors;
using namespace std::chrono_literals;
using net::wake_verdict;

namespace {

constexpr std::array<std::uint8_t, 32> secret{1, 2, 3};
constexpr std::array<std::uint8_t, 32> seed{4, 5, 6};

/// A server's side of wakes, and somebody who has recorded one.
struct callers {
  callers() {
    device.fill(1);
    server.fill(2);
    terms.device_id = device;
    terms.server_id = server;
    terms.server_key = signer.public_key();
    terms.keys = keyring.keys_of(device);
  }
  [[nodiscard]] std::string wake(std::uint64_t counter,
                                 net::wake_purpose why = net::wake_purpose::sync) const {
    const net::wake what{1, server, device, counter, why};
    return signer.make(what, keyring.wake_key(1, device));
  }
  /// Right ids, a counter that is due, and no key.
  [[nodiscard]] std::string forged(std::uint64_t counter) const {
    auto out = wake(counter);
    out[55] = static_cast<char>(out[55] ^ 0x40);
    return out;
  }

  net::id_bytes device{}, server{};
  net::datagram_keyring keyring{secret};
  net::wake_signer signer{seed};
  net::wake_terms terms;
};

std::uint64_t count_of(const wake_figures& figures, wake_verdict verdict) {
  return figures.by_verdict[static_cast<std::size_t>(verdict)];
}

/// Sends to one port of loopback.
class thrower {
public:
  explicit thrower(std::uint16_t port) : fd_(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(port);
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    REQUIRE(::connect(fd_, reinterpret_cast<const sockaddr*>(&to), sizeof to) == 0);
  }
  ~thrower() { ::close(fd_); }
  thrower(const thrower&) = delete;
  thrower& operator=(const thrower&) = delete;
  void send(const std::string& bytes) const {
    static_cast<void>(::send(fd_, bytes.data(), bytes.size(), 0));
  }

private:
  int fd_;
};

struct listener_world : callers {
  listener_world() {
    std::error_code ec;
    listener = wake_listener::open({.pool = &pool, .address = "127.0.0.1", .port = 0, .terms = terms},
                                   [this](wake_purpose why, std::uint64_t counter) {
                                     const std::lock_guard lock(mutex);
                                     heard.emplace_back(why, counter);
                                     told.notify_all();
                                   },
                                   ec);
    REQUIRE_FALSE(ec);
    listener->took(0);
  }
  bool hears(std::size_t wakes, std::chrono::milliseconds time = 20s) {
    std::unique_lock lock(mutex);
    return told.wait_for(lock, time, [&] { return heard.size() >= wakes; });
  }
  /// Until so many datagrams have been judged, whatever came of them.
  bool judged(std::uint64_t datagrams) {
    for (const auto end = std::chrono::steady_clock::now() + 20s;
         std::chrono::steady_clock::now() < end; std::this_thread::yield()) {
      const auto figures = listener->figures();
      std::uint64_t sum = figures.too_early;
      for (const auto count : figures.by_verdict)
        sum += count;
      if (sum >= datagrams)
        return true;
    }
    return false;
  }

  std::mutex mutex;
  std::condition_variable told;
  std::vector<std::pair<wake_purpose, std::uint64_t>> heard;
  net::io_pool pool{1};
  std::unique_ptr<wake_listener> listener;
};

} // namespace

TEST_CASE_FIXTURE(callers, "the gate accepts nothing before it knows which counters are old") {
  wake_gate gate{terms};
  CHECK_FALSE(gate.judge(wake(10)));
  CHECK(gate.figures().too_early == 1);
  gate.took(9);
  CHECK(gate.judge(wake(10)));
}

TEST_CASE_FIXTURE(callers, "the gate accepts a wake once, and none that is older") {
  wake_gate gate{terms};
  gate.took(9);
  CHECK_FALSE(gate.judge(wake(9)));
  const auto first = gate.judge(wake(12, net::wake_purpose::control));
  REQUIRE(first);
  CHECK(first->counter == 12);
  CHECK(first->purpose == net::wake_purpose::control);
  CHECK_FALSE(gate.judge(wake(12)));
  CHECK_FALSE(gate.judge(wake(11)));
  gate.took(5); // a connection that was started again, from an older disk
  CHECK_FALSE(gate.judge(wake(12)));
  CHECK(gate.judge(wake(13)));
  CHECK(count_of(gate.figures(), wake_verdict::old_counter) == 4);
  CHECK(count_of(gate.figures(), wake_verdict::accepted) == 2);
}

TEST_CASE_FIXTURE(callers, "the gate counts by the check that refused") {
  wake_gate gate{terms};
  gate.took(0);
  CHECK_FALSE(gate.judge(wake(1).substr(1)));
  CHECK_FALSE(gate.judge(forged(1)));
  auto tail = wake(1);
  tail.back() = static_cast<char>(tail.back() ^ 1);
  CHECK_FALSE(gate.judge(tail));
  CHECK(count_of(gate.figures(), wake_verdict::wrong_size) == 1);
  CHECK(count_of(gate.figures(), wake_verdict::wrong_tag) == 1);
  CHECK(count_of(gate.figures(), wake_verdict::wrong_signature) == 1);
  gate.learn({});
  CHECK_FALSE(gate.judge(wake(1)));
  CHECK(count_of(gate.figures(), wake_verdict::wrong_generation) == 1);
  gate.learn(terms.keys);
  CHECK(gate.judge(wake(1)));
}

TEST_CASE_FIXTURE(listener_world, "a wake is told once, however often it is sent, and answered never") {
  const thrower server_side{listener->port()};
  for (int tries = 0; tries < 4; ++tries)
    server_side.send(wake(7, net::wake_purpose::control));
  REQUIRE(hears(1));
  REQUIRE(judged(4));
  const std::lock_guard lock(mutex);
  REQUIRE(heard.size() == 1);
  CHECK(heard[0] == std::pair{wake_purpose::control, std::uint64_t{7}});
  CHECK(count_of(listener->figures(), wake_verdict::old_counter) == 3);
}

TEST_CASE_FIXTURE(listener_world, "datagrams of any other size are counted and dropped") {
  const thrower stranger{listener->port()};
  stranger.send({});
  stranger.send(wake(1) + "x");
  stranger.send(std::string(2000, 'x'));
  stranger.send(wake(1).substr(0, 60));
  REQUIRE(judged(4));
  CHECK(count_of(listener->figures(), wake_verdict::wrong_size) == 4);
  CHECK(heard.empty());
}

TEST_CASE_FIXTURE(listener_world, "a genuine wake gets through 10,000 forged ones a second") {
  std::atomic<bool> over{false};
  std::atomic<std::uint64_t> thrown{0};
  // As well as somebody can who recorded a genuine one: right ids, next counters.
  std::thread flood{[&] {
    const thrower stranger{listener->port()};
    std::vector<std::string> ready;
    for (std::uint64_t i = 0; i < 512; ++i)
      ready.push_back(forged(1'000 + i));
    const auto begin = std::chrono::steady_clock::now();
    while (!over) {
      const auto due = static_cast<std::uint64_t>(
        std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count() * 10'000);
      for (; thrown < due && !over; ++thrown)
        stranger.send(ready[thrown % ready.size()]);
      std::this_thread::yield();
    }
  }};
  while (thrown < 2'000)
    std::this_thread::yield();
  const thrower server_side{listener->port()};
  bool all = true;
  for (std::uint64_t counter = 1; counter <= 20 && all; ++counter) {
    server_side.send(wake(counter));
    all = hears(counter);
  }
  over = true;
  flood.join();
  CHECK(all);
  const std::lock_guard lock(mutex);
  CHECK(heard.size() == 20); // and nothing else
  CHECK(count_of(listener->figures(), wake_verdict::wrong_tag) > 1'000);
}

TEST_CASE_FIXTURE(listener_world, "a port that is taken is an error, one that was let go is free again") {
  const auto port = listener->port();
  std::error_code ec;
  const wake_listener_options same{.pool = &pool, .address = "127.0.0.1", .port = port, .terms = terms};
  CHECK(wake_listener::open(same, {}, ec) == nullptr);
  CHECK(ec == std::errc::address_in_use);
  listener.reset();
  std::unique_ptr<wake_listener> second;
  for (const auto end = std::chrono::steady_clock::now() + 10s;
       !second && std::chrono::steady_clock::now() < end; std::this_thread::yield())
    second = wake_listener::open(same, {}, ec);
  CHECK(second != nullptr);
}
