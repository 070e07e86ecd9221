// Wakes go out at 0, 1, 3 and 7 s until the device is there; one counter for all, its bound on the
// disk before it is used.

#include "actors/server/waker.hpp"

#include "storage/errc.hpp"
#include "storage/memory_store.hpp"
#include "storage/store_writer_actor.hpp"
#include "tests/actor_world.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <set>

using namespace muster;
using namespace muster::test;
using namespace muster::actors;
using namespace std::chrono_literals;

namespace {

using send_log = std::shared_ptr<net::datagram_batch>;

udp_port_actor::behavior_type play_port(udp_port_actor::pointer, send_log log) {
  return {
    [log](atom::send, const net::datagram_batch_ptr& batch) {
      log->insert(log->end(), batch->begin(), batch->end());
    },
    [](atom::datagrams, const net::datagram_batch_ptr&) {},
    [](atom::failed, std::error_code) {},
    [](atom::bound) -> std::uint16_t { return 9; },
    [](atom::metrics) { return metrics_text{}; },
    [](atom::status) { return std::string{"played"}; },
  };
}

struct waker_stage {
  storage::memory_store db;
  std::int64_t now_us = 1'700'000'000'000'000;
  std::vector<wake_job> jobs;        ///< all that were signed, in order
  std::vector<std::size_t> bundles;  ///< how many at once
  bool sign_at_once = true;
  std::vector<std::function<void()>> unsigned_yet;
  send_log sent = std::make_shared<net::datagram_batch>();
};

struct waker_world : waker_stage, actor_world {
  store_writer_actor writer;
  waker_actor wakes;
  udp_port_actor port;
  std::uint32_t pace = 1'000;

  void start() {
    storage::store_writer_options writing;
    writing.db = &db;
    writing.clock = [this] { return now_us; };
    if (!writer)
      writer = host(storage::store_writer, writing);
    std::error_code ec;
    waker_options options;
    options.writer = writer;
    options.now = [this] { return now_us; };
    options.counter_bound = load_wake_counter_bound(db, ec);
    REQUIRE_FALSE(ec);
    options.datagrams_per_second = pace;
    options.sign = [this](std::vector<wake_job> these, std::function<void(made_wakes_ptr)> made) {
      bundles.push_back(these.size());
      jobs.insert(jobs.end(), these.begin(), these.end());
      const auto work = [these = std::move(these), made = std::move(made)] {
        auto out = std::make_shared<made_wakes>();
        out->jobs = these;
        for (const auto& job : these)
          out->bytes.push_back(job.device.text() + "/" + std::to_string(job.counter));
        made(out);
      };
      if (sign_at_once)
        work();
      else
        unsigned_yet.push_back(work);
    };
    wakes = host(waker, std::move(options));
    new_port();
  }
  void new_port() {
    port = host(play_port, sent);
    self->send(wakes, atom::ready_v, port);
    settle();
  }
  /// As a kill would: nobody is asked, nothing is written any more.
  void kill_and_start() {
    caf::anon_send_exit(wakes, caf::exit_reason::kill);
    settle();
    start();
  }

  static device_id device(std::uint8_t number) {
    device_id out;
    out.bytes.fill(number);
    return out;
  }
  static wake_order order(std::uint8_t number) {
    return {device(number), "192.0.2." + std::to_string(number), 15000, wake_purpose::sync};
  }
  auto begin(std::uint8_t number) {
    auto pending = begin_ask(wakes, atom::wake_v, order(number));
    settle();
    return pending;
  }
  void let_pass(std::chrono::milliseconds time) {
    for (; time > 0ms; time -= 100ms) {
      now_us += 100'000;
      pass(100ms);
    }
  }
  bool has_answer() { return self->has_next_message(); }
};

} // namespace

TEST_CASE_FIXTURE(waker_world, "a device is called at 0, 1, 3 and 7 s with the same bytes, then given up") {
  start();
  auto pending = begin(1);
  REQUIRE(sent->size() == 1);
  CHECK(sent->front().peer == *net::make_udp_endpoint("192.0.2.1", 15000));
  std::vector<std::size_t> by_second;
  for (int second = 1; second <= 9; ++second) {
    let_pass(1s);
    by_second.push_back(sent->size());
  }
  CHECK(by_second == std::vector<std::size_t>{2, 2, 3, 3, 3, 3, 4, 4, 4});
  CHECK_FALSE(has_answer());
  let_pass(1100ms);
  const auto result = take<wake_result>(pending);
  CHECK_FALSE(result->arrived);
  CHECK(result->sent == 4);
  CHECK(result->text.empty());
  CHECK(std::all_of(sent->begin(), sent->end(),
                    [&](const auto& one) { return one.bytes == sent->front().bytes; }));
  CHECK(jobs.size() == 1); // signed once
}

TEST_CASE_FIXTURE(waker_world, "a device that arrives is called no more, and the asker knows at once") {
  start();
  auto pending = begin(1);
  let_pass(1500ms);
  self->send(wakes, atom::contact_v, device(1));
  settle();
  const auto result = take<wake_result>(pending);
  CHECK(result->arrived);
  CHECK(result->sent == 2);
  let_pass(20s);
  CHECK(sent->size() == 2);
  // Nothing is left to do: no tick either.
  CHECK(sched.trigger_timeouts() == 0);
}

TEST_CASE_FIXTURE(waker_world, "orders for one device share its wake, and all are answered") {
  start();
  auto first = begin(1);
  let_pass(2s);
  auto second = begin(1);
  CHECK(jobs.size() == 1);
  self->send(wakes, atom::contact_v, device(1));
  settle();
  CHECK(take<wake_result>(first)->arrived);
  CHECK(take<wake_result>(second)->arrived);
}

TEST_CASE_FIXTURE(waker_world, "each wake has a greater counter, also when the clock stands or goes back") {
  start();
  const auto first = static_cast<std::uint64_t>(now_us);
  static_cast<void>(begin(1));
  static_cast<void>(begin(2));
  now_us -= 3'600'000'000;
  static_cast<void>(begin(3));
  now_us += 3'600'000'000 + 5'000'000;
  static_cast<void>(begin(4));
  REQUIRE(jobs.size() == 4);
  CHECK(jobs[0].counter == first);
  CHECK(jobs[1].counter == first + 1);
  CHECK(jobs[2].counter == first + 2);
  CHECK(jobs[3].counter == first + 5'000'000);
}

TEST_CASE_FIXTURE(waker_world, "no counter is used before its bound is on the disk, and none twice") {
  start();
  std::uint64_t last = 0;
  for (int life = 0; life < 5; ++life) {
    static_cast<void>(begin(1));
    static_cast<void>(begin(2));
    std::error_code ec;
    const auto bound = load_wake_counter_bound(db, ec);
    REQUIRE(jobs.size() == static_cast<std::size_t>(2 * (life + 1)));
    for (const auto& job : {jobs[jobs.size() - 2], jobs.back()}) {
      CHECK(job.counter > last);
      CHECK(job.counter <= bound);
      last = job.counter;
    }
    // Killed at any moment; the clock may be anything afterwards.
    now_us += life % 2 == 0 ? -1'000'000'000'000 : 1'000'000;
    kill_and_start();
  }
}

TEST_CASE_FIXTURE(waker_world, "a wake that waits for its bound goes out when the disk has it, not before") {
  start();
  // The writer's answer is held back by not letting it run: the order is in, nothing is sent.
  self->send(wakes, atom::wake_v, order(1));
  while (jobs.empty() && sched.try_run_once()) {
    std::error_code ec;
    if (load_wake_counter_bound(db, ec) == 0)
      CHECK(jobs.empty());
  }
  settle();
  CHECK(sent->size() == 1);
}

TEST_CASE("whenever a waker is killed, its successor uses no counter a second time") {
  // Killed behind each step from the order to the datagram; its writer goes on, and so does the
  // thread that signs. The clock stands still: only the disk can tell the successor.
  bool between = false; // the bound on the disk, and nothing sent
  bool all_taken = false;
  for (std::size_t steps = 0; !all_taken; ++steps) {
    CAPTURE(steps);
    waker_world world;
    world.start();
    world.sign_at_once = false;
    world.self->send(world.wakes, atom::wake_v, waker_world::order(1));
    for (std::size_t taken = 0; taken < steps && !all_taken; ++taken)
      all_taken = !world.sched.try_run_once();
    std::error_code ec;
    between = between || (load_wake_counter_bound(world.db, ec) != 0 && world.jobs.empty());
    caf::anon_send<caf::message_priority::high>(
      caf::actor_cast<caf::actor>(world.wakes),
      caf::exit_msg{caf::actor_addr{}, caf::exit_reason::kill});
    world.settle();
    for (const auto& sign : world.unsigned_yet)
      sign();
    world.settle();
    CHECK(world.sent->empty()); // by a dead one
    const auto before = world.jobs;
    world.sign_at_once = true;
    world.start();
    static_cast<void>(world.begin(1));
    REQUIRE(world.jobs.size() == before.size() + 1);
    CHECK(world.sent->size() == 1);
    for (const auto& job : before)
      CHECK(world.jobs.back().counter > job.counter);
  }
  CHECK(between);
}

TEST_CASE_FIXTURE(waker_world, "while the disk refuses nobody is woken, and each asker is told why") {
  start();
  db.fail_writes(storage::make_error_code(storage::errc::disk_full));
  auto first = begin(1);
  const auto result = take<wake_result>(first);
  CHECK_FALSE(result->arrived);
  CHECK(result->sent == 0);
  CHECK(result->text.find("wake counter") != std::string::npos);
  CHECK(sent->empty());
}

TEST_CASE_FIXTURE(waker_world, "a restored server goes on behind what its devices have heard") {
  start();
  const auto ahead = static_cast<std::uint64_t>(now_us) + 999'999'999'999;
  self->send(wakes, atom::heard_v, ahead);
  static_cast<void>(begin(1));
  REQUIRE(jobs.size() == 1);
  CHECK(jobs[0].counter == ahead + 1);
  // A smaller one changes nothing, and one that would leave no numbers is not believed.
  self->send(wakes, atom::heard_v, std::uint64_t{5});
  self->send(wakes, atom::heard_v, ~std::uint64_t{0});
  static_cast<void>(begin(2));
  CHECK(jobs[1].counter == ahead + 2);
  kill_and_start();
  static_cast<void>(begin(3));
  CHECK(jobs[2].counter > ahead + 2);
}

TEST_CASE_FIXTURE(waker_world, "a fan-out is paced, signed in small bundles, and leaves nobody out") {
  pace = 100; // 10 at once
  start();
  std::vector<decltype(begin(1))> pending;
  for (std::uint8_t i = 1; i <= 200; ++i)
    pending.push_back(begin_ask(wakes, atom::wake_v, order(i)));
  settle();
  CHECK(sent->size() == 10);
  let_pass(500ms);
  CHECK(sent->size() <= 61);
  CHECK(sent->size() >= 50);
  let_pass(60s);
  std::set<std::string> called;
  for (const auto& one : *sent)
    called.insert(one.bytes);
  CHECK(called.size() == 200);
  CHECK(sent->size() == 800);
  CHECK(*std::max_element(bundles.begin(), bundles.end()) <= wake_limits::signed_at_once);
  for (auto& one : pending) {
    const auto result = take<wake_result>(one);
    CHECK_FALSE(result->arrived);
    CHECK(result->sent == 4);
  }
}

TEST_CASE_FIXTURE(waker_world, "a wake that arrives before it is signed is never sent, its successor is") {
  start();
  sign_at_once = false;
  auto first = begin(1);
  self->send(wakes, atom::contact_v, device(1));
  settle();
  CHECK(take<wake_result>(first)->arrived);
  auto second = begin(1);
  REQUIRE(unsigned_yet.size() == 2);
  unsigned_yet[0]();
  settle();
  CHECK(sent->empty());
  unsigned_yet[1]();
  settle();
  REQUIRE(sent->size() == 1);
  CHECK(sent->front().bytes == device(1).text() + "/" + std::to_string(jobs[1].counter));
  self->send(wakes, atom::contact_v, device(1));
  settle();
  CHECK(take<wake_result>(second)->sent == 1);
}

TEST_CASE_FIXTURE(waker_world, "a device without an address is answered at once") {
  start();
  auto nowhere = order(1);
  nowhere.address.clear();
  CHECK(ask<wake_result>(wakes, atom::wake_v, nowhere).sent == 0);
  nowhere = order(1);
  nowhere.port = 0;
  CHECK_FALSE(ask<wake_result>(wakes, atom::wake_v, nowhere).text.empty());
  CHECK(jobs.empty());
}

TEST_CASE_FIXTURE(waker_world, "a socket that dies costs the tries until there is another one") {
  start();
  auto pending = begin(1);
  caf::anon_send_exit(port, caf::exit_reason::kill);
  settle();
  let_pass(2s);
  CHECK(sent->size() == 1);
  new_port();
  let_pass(9s);
  CHECK(sent->size() == 3);
  CHECK(take<wake_result>(pending)->sent == 3);
  // And with none at all the asker is told so.
  caf::anon_send_exit(port, caf::exit_reason::kill);
  settle();
  auto second = begin(2);
  let_pass(1200ms); // soon
  const auto result = take<wake_result>(second);
  REQUIRE(result);
  CHECK(result->sent == 0);
  CHECK(result->text.find("socket") != std::string::npos);
}
