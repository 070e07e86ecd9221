#include "net/io_pool.hpp"

#include "net/lane_resident.hpp"

#include <asio/post.hpp>
#include <doctest/doctest.h>

#include <atomic>
#include <future>
#include <memory>
#include <set>
#include <thread>

using namespace muster::net;
using namespace std::chrono_literals;

namespace {

/// Runs `work` on the lane and waits for it.
template <class Work>
void on_lane(io_lane& lane, Work work) {
  std::promise<void> done;
  asio::post(lane.io, [&] {
    work();
    done.set_value();
  });
  done.get_future().get();
}

struct counting_resident final : lane_resident {
  std::atomic<int> deadlines{0};
  std::atomic<int> abandonments{0};
  std::promise<void> first_deadline;

private:
  void on_deadline() override {
    if (deadlines++ == 0)
      first_deadline.set_value();
  }
  void on_abandoned() override { ++abandonments; }
};

} // namespace

TEST_CASE("every lane has a thread of its own, and lanes are dealt in turn") {
  io_pool pool(3);
  CHECK(pool.size() == 3);
  std::set<std::thread::id> threads;
  std::set<io_lane*> lanes;
  for (int i = 0; i < 6; ++i) {
    auto& lane = pool.next_lane();
    lanes.insert(&lane);
    on_lane(lane, [&] { threads.insert(std::this_thread::get_id()); });
  }
  CHECK(lanes.size() == 3);
  CHECK(threads.size() == 3);
}

TEST_CASE("joining runs what was posted before and may be repeated") {
  io_pool pool(2);
  std::atomic<int> done{0};
  for (int i = 0; i < 1000; ++i)
    asio::post(pool.next_lane().io, [&] { ++done; });
  pool.join();
  CHECK(done == 1000);
  pool.join();
}

TEST_CASE("a deadline is told once, and one that was cleared never") {
  counting_resident late;
  counting_resident cleared;
  io_pool pool(1);
  auto& lane = pool.lane(0);
  on_lane(lane, [&] {
    REQUIRE(lane.deadlines->add(late));
    REQUIRE(lane.deadlines->add(cleared));
    const auto soon = std::chrono::steady_clock::now() + 1ms;
    lane.deadlines->set_deadline(late, soon);
    lane.deadlines->set_deadline(cleared, soon);
    lane.deadlines->clear_deadline(cleared);
  });
  late.first_deadline.get_future().get();
  on_lane(lane, [&] {
    CHECK(late.deadlines == 1);
    CHECK(cleared.deadlines == 0);
    CHECK(lane.deadlines->size() == 2);
    lane.deadlines->remove(late);
  });
  pool.join();
  CHECK(late.abandonments == 0);
  CHECK(cleared.abandonments == 1);
}

TEST_CASE("nobody settles on a lane that has been joined") {
  counting_resident late;
  io_pool pool(1);
  pool.join();
  CHECK_FALSE(pool.lane(0).deadlines->add(late));
}
