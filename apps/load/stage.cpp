#include "apps/load/stage.hpp"

#include <algorithm>
#include <utility>

namespace muster::load {

using namespace std::chrono_literals;

stage::stage() : timer_(pool_.lane(0).io) {}

void stage::run(std::function<void()> begin, const std::function<bool()>& stopped,
                std::function<void()> each_second) {
  each_second_ = std::move(each_second);
  net::run_on(pool_.lane(0), [this, begin = std::move(begin)] {
    tick(steady::now() + 1s);
    begin();
  });
  {
    std::unique_lock lock{mutex_};
    while (!over_ && !stopped())
      ended_.wait_for(lock, 100ms);
    over_ = true;
  }
  net::run_on(pool_.lane(0), [this] { timer_.cancel(); });
  pool_.join();
}

void stage::finish() {
  const std::lock_guard lock{mutex_};
  over_ = true;
  ended_.notify_all();
}

void stage::at(steady::time_point when, std::function<void()> what) {
  const bool is_next = timetable_.empty() || when < timetable_.top().when;
  timetable_.push({when, entries_++, std::move(what)});
  if (is_next)
    arm();
}

void stage::arm() {
  timer_.expires_at(timetable_.top().when);
  timer_.async_wait([this](std::error_code ec) {
    if (!ec)
      run_due();
  });
}

/// A slice at a time, so that the links on this thread have their turn however much is due.
void stage::run_due() {
  constexpr int slice = 64;
  for (int i = 0; i < slice && !timetable_.empty(); ++i) {
    const auto now = steady::now();
    if (timetable_.top().when > now)
      break;
    worst_lag_ = std::max(worst_lag_, std::chrono::duration_cast<std::chrono::microseconds>(
                                        now - timetable_.top().when));
    auto what = std::move(const_cast<entry&>(timetable_.top()).what); // it is popped next
    timetable_.pop();
    what();
  }
  if (!timetable_.empty())
    arm();
}

void stage::tick(steady::time_point due) {
  at(due, [this, due] {
    each_second_();
    tick(due + 1s);
  });
}

} // namespace muster::load
