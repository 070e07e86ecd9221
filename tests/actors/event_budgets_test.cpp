// How much one device may send: late credit instead of drops, no fresh stock for a new connection.
#include "actors/server/event_budgets.hpp"
#include "tests/actors/session_world.hpp"

using namespace muster;
using namespace muster::test;
using namespace std::chrono_literals;

using numbers = stream_world::numbers;
constexpr auto epoch = stream_world::epoch;
constexpr auto all_credit = session_limits::frames_in_flight;

namespace {

device_id device(std::uint8_t fill) {
  device_id out;
  out.bytes.fill(fill);
  out.bytes[15] = 0; // all in one part
  out.bytes[14] = 0;
  return out;
}

/// 100 events a second, 50 in stock.
struct budget_world : stream_world {
  budget_world() { services->budgets = std::make_shared<event_budgets>(event_allowance{100, 50}); }

  /// The next `n` events of the device.
  void send(connection& at, std::uint64_t n) {
    const auto after = sent_ == 0 ? event_position{} : event_position{epoch, sent_};
    say(at, events(after, epoch, sent_ + 1, sent_ + n));
    sent_ += n;
  }
  void again_from(std::uint64_t sequence) { sent_ = sequence; }

private:
  std::uint64_t sent_ = 0;
};

numbers up_to(std::uint64_t last) {
  numbers out;
  for (std::uint64_t i = 1; i <= last; ++i)
    out.push_back(i);
  return out;
}

} // namespace

TEST_CASE_FIXTURE(budget_world,
                  "who sends more than its share gets its credit late; all is stored and said so") {
  auto at = begin();
  send(at, 50);
  CHECK(at.link->credit == all_credit); // the stock
  send(at, 30);
  CHECK(acked(at) == numbers{50, 80});
  CHECK(stored_sequences() == up_to(80));
  CHECK(at.link->credit == all_credit - 1);
  pass(299ms);
  CHECK(at.link->credit == all_credit - 1);
  pass(1ms);
  CHECK(at.link->credit == all_credit);
  // On average 100 a second from now on, however it is cut up.
  const auto begin = sched.clock().now();
  for (int i = 0; i < 20; ++i) {
    while (at.link->credit < all_credit)
      pass(1ms);
    send(at, 25);
  }
  CHECK(sched.clock().now() - begin == 4750ms);
  CHECK(stored_sequences() == up_to(580));
  CHECK(at.link->count(says::kEventsAck) == 22);
}

TEST_CASE_FIXTURE(budget_world, "a full window comes back frame by frame") {
  auto at = begin();
  for (std::uint64_t i = 0; i < all_credit; ++i)
    send(at, 50);
  CHECK(stored_sequences() == up_to(200));
  CHECK(at.link->credit == 1);
  for (std::size_t i = 2; i <= all_credit; ++i) {
    pass(499ms);
    CHECK(at.link->credit == i - 1);
    pass(1ms);
    CHECK(at.link->credit == i);
  }
  // And when all is quiet the stream ends as any other, and nothing is kept.
  CHECK(children_alive() == 1);
  pass(10s);
  CHECK(children_alive() == 0);
  pass(10s);
  CHECK_FALSE(sched.has_pending_timeout());
}

TEST_CASE_FIXTURE(budget_world, "a rest fills the stock, and not more than that") {
  auto at = begin();
  send(at, 50);
  pass(1h);
  send(at, 50);
  CHECK(at.link->credit == all_credit);
  send(at, 1);
  CHECK(at.link->credit == all_credit - 1);
  pass(10ms);
  CHECK(at.link->credit == all_credit);
}

TEST_CASE_FIXTURE(budget_world, "an event counts as one for each KB of it") {
  auto at = begin();
  auto large = events({}, epoch, 1, 5);
  for (auto& one : *large.mutable_events()->mutable_items())
    for (int i = 0; i < 10; ++i)
      (*one.mutable_attributes())["k" + std::to_string(i)] = std::string(1000, 'x');
  say(at, large);
  CHECK(acked(at) == numbers{5});
  CHECK(at.link->credit == all_credit); // 50 and a little
  say(at, events({epoch, 5}, epoch, 6, 6));
  CHECK(at.link->credit < all_credit);
  pass(50ms);
  CHECK(at.link->credit == all_credit);
}

TEST_CASE_FIXTURE(budget_world, "a new connection is no new stock: the position is told when it is due") {
  auto at = begin();
  send(at, 50);
  send(at, 50);
  at.link->end();
  settle();
  auto again = welcome();
  say(again, open());
  CHECK(again.link->last() == says::kWelcome);
  CHECK(again.link->credit == all_credit - 1);
  pass(499ms);
  CHECK(again.link->last() == says::kWelcome);
  pass(1ms);
  CHECK(position(again) == event_position{epoch, 100});
  CHECK(again.link->credit == all_credit);
  SUBCASE("and its stock is as empty as the old one's") {
    send(again, 10);
    CHECK(again.link->credit == all_credit - 1);
  }
  SUBCASE("another device has its own") {
    CHECK(services->budgets->due(device(9), sched.clock().now()) <= sched.clock().now());
  }
}

TEST_CASE_FIXTURE(budget_world, "who connects again and again without waiting gets no further, "
                                "and loses nothing") {
  constexpr std::uint64_t most = 50 + session_limits::event_overdraft;
  std::uint64_t kept = 0;
  for (int i = 0; i < 30; ++i) {
    auto at = welcome(); // no events_open: it knows where it was
    again_from(kept);
    for (std::size_t frame = 0; frame < all_credit && !at.link->closed; ++frame)
      send(at, 1000);
    if (const auto told = acked(at); !told.empty())
      kept = told.back();
    if (at.link->closed)
      check_busy(at);
    at.link->end();
    settle();
  }
  CHECK(kept >= most);
  CHECK(kept <= most + 1000);
  CHECK(stored_sequences() == up_to(kept));
  pass(20s); // 2,000 events
  auto at = welcome();
  again_from(kept);
  send(at, 1000);
  CHECK(acked(at) == numbers{kept + 1000});
  CHECK(stored_sequences() == up_to(kept + 1000));
}

TEST_CASE_FIXTURE(budget_world, "without a bound nobody waits") {
  services->budgets = std::make_shared<event_budgets>(event_allowance{0, 1});
  auto at = begin();
  for (int i = 0; i < 100; ++i)
    send(at, 1000);
  CHECK(at.link->credit == all_credit);
  CHECK(services->budgets->devices() == 0);
}

TEST_CASE("budgets are kept only of devices that are in debt to time") {
  event_budgets budgets{{1000, 20'000}};
  event_budgets::time_point now{1h};
  for (int round = 0; round < 100; ++round) {
    for (int i = 0; i < 200; ++i) {
      CHECK(budgets.spend(device(static_cast<std::uint8_t>(i)), 1, now) <= now);
      now += 1ms;
    }
    CHECK(budgets.devices() <= 64);
  }
  CHECK(budgets.metrics().find("muster_event_batches_delayed_total 0\n") != std::string::npos);
  CHECK(budgets.spend(device(1), 20'001, now) > now);
  CHECK(budgets.metrics().find("muster_event_batches_delayed_total 1\n") != std::string::npos);
}

TEST_CASE("a budget is exact over any stretch of time, for odd rates too") {
  event_budgets budgets{{7, 7}};
  const event_budgets::time_point begin{1h};
  auto now = begin;
  for (int i = 0; i < 7'007; ++i) {
    const auto again = budgets.spend(device(1), 1, now);
    REQUIRE(again);
    now = std::max(now, *again);
  }
  // A thousand seconds of 7 beside the stock; a division loses less than a nanosecond each time.
  CHECK(now - begin <= 1000s);
  CHECK(now - begin >= 1000s - 7'007ns);
}
