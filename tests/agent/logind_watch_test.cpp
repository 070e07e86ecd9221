#include "actors/agent/probe/logind_watch.hpp"

#include "tests/agent/mock_systemd.hpp"

#include <doctest/doctest.h>

#include <fcntl.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <queue>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

using namespace muster;
using namespace muster::actors;
using namespace muster::test;
using namespace std::chrono_literals;

namespace {

void must(int result) {
  if (result < 0)
    throw std::runtime_error("sd-bus: error " + std::to_string(-result));
}

/// org.freedesktop.login1 on a bus: hands out inhibitors, says what a test lets it say.
class mock_logind {
public:
  explicit mock_logind(const std::string& address) {
    must(sd_bus_new(&bus_));
    must(sd_bus_set_address(bus_, address.c_str()));
    must(sd_bus_set_bus_client(bus_, 1));
    must(sd_bus_start(bus_));
    must(sd_bus_add_object(bus_, nullptr, "/org/freedesktop/login1", on_call, this));
    must(sd_bus_request_name(bus_, "org.freedesktop.login1", 0));
    wake_ = ::eventfd(0, EFD_CLOEXEC);
    must(wake_);
    thread_ = std::thread{[this] { serve(); }};
  }
  ~mock_logind() {
    ended_ = true;
    ::eventfd_write(wake_, 1);
    thread_.join();
    ::close(wake_);
    for (const int fd : inhibitors_)
      ::close(fd);
    sd_bus_close_unref(bus_);
  }
  mock_logind(const mock_logind&) = delete;
  mock_logind& operator=(const mock_logind&) = delete;

  /// Whether so many inhibitors have been asked for.
  bool asked(std::size_t times) {
    std::unique_lock lock(mutex_);
    return told_.wait_for(lock, 20s, [&] { return inhibitors_.size() >= times; });
  }
  std::string words() {
    const std::lock_guard lock(mutex_);
    return words_;
  }
  /// Whether the last inhibitor is let go within the time.
  bool let_go(std::chrono::milliseconds time) {
    pollfd end{inhibitors_.back(), POLLIN, 0};
    return ::poll(&end, 1, static_cast<int>(time.count())) == 1 && (end.revents & POLLHUP) != 0;
  }
  void say(const char* signal, bool begins) {
    run([this, signal, begins] {
      must(sd_bus_emit_signal(bus_, "/org/freedesktop/login1", "org.freedesktop.login1.Manager",
                              signal, "b", begins ? 1 : 0));
    });
  }
  void say_kind(bool begins, const std::string& kind) {
    run([this, begins, kind] {
      must(sd_bus_emit_signal(bus_, "/org/freedesktop/login1", "org.freedesktop.login1.Manager",
                              "PrepareForShutdownWithMetadata", "ba{sv}", begins ? 1 : 0, 2,
                              "other", "u", 7U, "type", "s", kind.c_str()));
    });
  }

private:
  void run(std::function<void()> what) {
    {
      const std::lock_guard lock(mutex_);
      orders_.push(std::move(what));
    }
    ::eventfd_write(wake_, 1);
  }
  void serve() {
    while (!ended_) {
      while (sd_bus_process(bus_, nullptr) > 0) {
      }
      for (std::function<void()> next; take(next);)
        next();
      sd_bus_flush(bus_);
      pollfd fds[]{{wake_, POLLIN, 0}, {sd_bus_get_fd(bus_), POLLIN, 0}};
      ::poll(fds, 2, -1);
      eventfd_t count = 0;
      if ((fds[0].revents & POLLIN) != 0)
        ::eventfd_read(wake_, &count);
    }
  }
  bool take(std::function<void()>& next) {
    const std::lock_guard lock(mutex_);
    if (orders_.empty())
      return false;
    next = std::move(orders_.front());
    orders_.pop();
    return true;
  }
  static int on_call(sd_bus_message* question, void* self, sd_bus_error*) {
    if (sd_bus_message_is_method_call(question, "org.freedesktop.login1.Manager", "Inhibit") <= 0)
      return 0;
    return static_cast<mock_logind*>(self)->inhibit(question);
  }
  int inhibit(sd_bus_message* question) {
    const char *what = nullptr, *who = nullptr, *why = nullptr, *mode = nullptr;
    must(sd_bus_message_read(question, "ssss", &what, &who, &why, &mode));
    std::array<int, 2> ends{};
    must(::pipe2(ends.data(), O_CLOEXEC));
    const int sent = sd_bus_reply_method_return(question, "h", ends[1]);
    ::close(ends[1]);
    const std::lock_guard lock(mutex_);
    words_ = std::string{what} + " " + who + " " + mode;
    inhibitors_.push_back(ends[0]);
    told_.notify_all();
    return sent;
  }

  sd_bus* bus_ = nullptr;
  int wake_ = -1;
  std::atomic<bool> ended_{false};
  std::mutex mutex_;
  std::condition_variable told_;
  std::queue<std::function<void()>> orders_;
  std::vector<int> inhibitors_; ///< our ends
  std::string words_;
  std::thread thread_;
};

/// What the watch tells.
struct listener {
  probe::logind_watch::callbacks callbacks() {
    return {[this](off_reason why, std::function<void()> done) {
              const std::lock_guard lock(mutex);
              going.push_back(why);
              last_done = std::move(done);
              told.notify_all();
            },
            [this] {
              const std::lock_guard lock(mutex);
              ++stays;
              told.notify_all();
            }};
  }
  template <class Condition>
  bool until(Condition condition) {
    std::unique_lock lock(mutex);
    return told.wait_for(lock, 20s, condition);
  }
  std::mutex mutex;
  std::condition_variable told;
  std::vector<off_reason> going;
  std::function<void()> last_done;
  int stays = 0;
};

struct watch_world : listener {
  private_bus bus;
  std::unique_ptr<mock_logind> logind = std::make_unique<mock_logind>(bus.address());
  net::io_pool pool{1};
  probe::logind_watch watch{pool.lane(0), {.bus_address = bus.address(), .again = 20ms}, callbacks()};
};

} // namespace

TEST_CASE("a shutdown that brings the machine back is a restart") {
  CHECK(probe::reason_of_shutdown("power-off") == off_reason::shutdown);
  CHECK(probe::reason_of_shutdown("halt") == off_reason::shutdown);
  CHECK(probe::reason_of_shutdown("") == off_reason::shutdown);
  CHECK(probe::reason_of_shutdown("reboot") == off_reason::restart);
  CHECK(probe::reason_of_shutdown("kexec") == off_reason::restart);
  CHECK(probe::reason_of_shutdown("soft-reboot") == off_reason::restart);
}

TEST_CASE_FIXTURE(watch_world, "the machine waits until the last word is said") {
  REQUIRE(logind->asked(1));
  CHECK(logind->words() == "shutdown:sleep muster-agent delay");
  SUBCASE("suspend") {
    logind->say("PrepareForSleep", true);
    REQUIRE(until([&] { return going == std::vector{off_reason::suspend}; }));
  }
  SUBCASE("an older logind's shutdown") {
    logind->say("PrepareForShutdown", true);
    REQUIRE(until([&] { return going == std::vector{off_reason::shutdown}; }));
  }
  SUBCASE("a newer one's restart, said twice") {
    logind->say_kind(true, "reboot");
    logind->say("PrepareForShutdown", true);
    REQUIRE(until([&] { return going == std::vector{off_reason::restart}; }));
  }
  CHECK_FALSE(logind->let_go(50ms));
  last_done();
  CHECK(logind->let_go(20s));
  CHECK(going.size() == 1);
}

TEST_CASE_FIXTURE(watch_world, "a machine that is back is told, and held back the next time too") {
  REQUIRE(logind->asked(1));
  logind->say("PrepareForSleep", true);
  REQUIRE(until([&] { return going.size() == 1; }));
  last_done();
  REQUIRE(logind->let_go(20s));
  logind->say("PrepareForSleep", false);
  REQUIRE(until([&] { return stays == 1; }));
  REQUIRE(logind->asked(2));
  logind->say("PrepareForSleep", true);
  REQUIRE(until([&] { return going.size() == 2; }));
  CHECK_FALSE(logind->let_go(50ms));
}

TEST_CASE_FIXTURE(watch_world, "a logind that is started again is asked again") {
  REQUIRE(logind->asked(1));
  logind = nullptr;
  logind = std::make_unique<mock_logind>(bus.address());
  REQUIRE(logind->asked(1));
  logind->say("PrepareForShutdown", true);
  CHECK(until([&] { return going.size() == 1; }));
}

TEST_CASE("where there is no bus nobody is told, and the watch ends all the same") {
  listener nobody;
  net::io_pool pool{1};
  {
    const probe::logind_watch watch{
      pool.lane(0), {.bus_address = "unix:path=/nonexistent/bus", .again = 1ms}, nobody.callbacks()};
    for (int turns = 0; turns < 3; ++turns) {
      std::mutex ready;
      ready.lock();
      net::run_on(pool.lane(0), [&] { ready.unlock(); });
      ready.lock();
    }
  }
  CHECK(nobody.going.empty());
}
