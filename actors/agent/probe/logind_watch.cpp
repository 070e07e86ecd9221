#include "actors/agent/probe/logind_watch.hpp"

#include <asio/posix/stream_descriptor.hpp>
#include <asio/steady_timer.hpp>

#include <systemd/sd-bus.h>

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <cstring>
#include <ctime>
#include <utility>

namespace muster::actors::probe {

namespace {

constexpr const char* system_bus = "unix:path=/run/dbus/system_bus_socket";
constexpr const char* logind = "org.freedesktop.login1";
constexpr const char* manager_path = "/org/freedesktop/login1";
constexpr const char* manager = "org.freedesktop.login1.Manager";
constexpr int messages_max = 64; // per turn; the rest takes another one

} // namespace

off_reason reason_of_shutdown(std::string_view type) {
  const bool comes_back = type == "reboot" || type == "kexec" || type == "soft-reboot";
  return comes_back ? off_reason::restart : off_reason::shutdown;
}

/// Everything here happens on the lane, but the flag.
class logind_watch::watcher : public std::enable_shared_from_this<watcher> {
public:
  watcher(net::io_lane& lane, logind_watch_options options, callbacks tell)
    : lane_(lane), options_(std::move(options)), tell_(std::move(tell)), socket_(lane.io),
      timer_(lane.io) {}
  ~watcher() { close(); }
  watcher(const watcher&) = delete;
  watcher& operator=(const watcher&) = delete;

  void begin() {
    if (ended_)
      return;
    if (!connect()) {
      close();
      return try_later();
    }
    turn();
  }

  void end() {
    ended_ = true;
    timer_.cancel();
    close();
  }
  /// From any thread: say nothing any more.
  void hush() { ended_ = true; }

private:
  /// Handlers hold no strong pointer: what waits in a joined lane must not keep itself alive. What
  /// was armed for an older turn is void.
  template <class Member>
  auto mine(Member member) {
    return [weak = weak_from_this(), member, number = turn_](std::error_code ec) {
      if (const auto self = weak.lock(); self && !ec && !self->ended_ && number == self->turn_)
        ((*self).*member)();
    };
  }

  bool connect() {
    const auto& address = options_.bus_address;
    const bool there = sd_bus_new(&bus_) >= 0
                       && sd_bus_set_address(bus_, address.empty() ? system_bus : address.c_str()) >= 0
                       && sd_bus_set_bus_client(bus_, 1) >= 0 && sd_bus_start(bus_) >= 0;
    if (!there)
      return false;
    const bool listening =
      match("PrepareForShutdownWithMetadata", on_shutdown_of_kind)
      && match("PrepareForShutdown", on_shutdown) && match("PrepareForSleep", on_sleep)
      && sd_bus_match_signal_async(bus_, nullptr, "org.freedesktop.DBus", "/org/freedesktop/DBus",
                                   "org.freedesktop.DBus", "NameOwnerChanged", on_owner, nullptr,
                                   this) >= 0;
    if (!listening)
      return false;
    hold_back();
    const int fd = ::fcntl(sd_bus_get_fd(bus_), F_DUPFD_CLOEXEC, 3); // the bus closes its own
    if (fd < 0)
      return false;
    socket_.assign(fd);
    return true;
  }

  bool match(const char* signal, sd_bus_message_handler_t handler) {
    return sd_bus_match_signal_async(bus_, nullptr, logind, manager_path, manager, signal, handler,
                                     nullptr, this)
           >= 0;
  }

  void close() {
    std::error_code ignored;
    socket_.close(ignored);
    sd_bus_close_unref(std::exchange(bus_, nullptr));
    let_go();
  }

  void try_later() {
    timer_.expires_after(options_.again);
    timer_.async_wait(mine(&watcher::begin));
  }

  /// Works off what has come, then waits for more, as sd-bus says.
  void turn() {
    ++turn_;
    std::error_code ignored;
    socket_.cancel(ignored);
    int did = 1;
    for (int messages = 0; did > 0 && messages < messages_max; ++messages)
      did = sd_bus_process(bus_, nullptr);
    if (did < 0) { // gone; maybe it is started again
      close();
      return try_later();
    }
    const int events = sd_bus_get_events(bus_);
    std::uint64_t due_us = UINT64_MAX;
    if (events < 0 || sd_bus_get_timeout(bus_, &due_us) < 0) {
      close();
      return try_later();
    }
    using descriptor = asio::posix::stream_descriptor;
    if ((events & POLLIN) != 0)
      socket_.async_wait(descriptor::wait_read, mine(&watcher::turn));
    if ((events & POLLOUT) != 0)
      socket_.async_wait(descriptor::wait_write, mine(&watcher::turn));
    if (did > 0)
      due_us = 0;
    if (due_us == UINT64_MAX)
      return;
    timer_.expires_after(std::chrono::microseconds{until(due_us)});
    timer_.async_wait(mine(&watcher::turn));
  }

  static std::int64_t until(std::uint64_t due_us) {
    timespec now{};
    ::clock_gettime(CLOCK_MONOTONIC, &now);
    const auto now_us = std::int64_t{now.tv_sec} * 1'000'000 + now.tv_nsec / 1000;
    return std::max<std::int64_t>(0, static_cast<std::int64_t>(due_us) - now_us);
  }

  // -- the inhibitor

  void hold_back() {
    if (inhibitor_ >= 0 || asking_)
      return;
    sd_bus_message* question = nullptr;
    int done = sd_bus_message_new_method_call(bus_, &question, logind, manager_path, manager,
                                              "Inhibit");
    if (done >= 0)
      done = sd_bus_message_set_auto_start(question, 0);
    if (done >= 0)
      done = sd_bus_message_append(question, "ssss", "shutdown:sleep", "muster-agent",
                                   "the server is told that this device goes", "delay");
    if (done >= 0)
      done = sd_bus_call_async(bus_, nullptr, question, on_inhibitor, this, 0);
    asking_ = done >= 0;
    sd_bus_message_unref(question);
  }

  void let_go() {
    if (const int fd = std::exchange(inhibitor_, -1); fd >= 0)
      ::close(fd);
  }

  static int on_inhibitor(sd_bus_message* answer, void* whose, sd_bus_error*) {
    auto& self = *static_cast<watcher*>(whose);
    self.asking_ = false;
    int fd = -1;
    if (sd_bus_message_is_method_error(answer, nullptr) != 0)
      return 0; // no logind, or it does not wait for us: we are told nevertheless, if by anybody
    if (sd_bus_message_read(answer, "h", &fd) >= 0 && self.going_ == off_reason::none) {
      self.let_go();
      self.inhibitor_ = ::fcntl(fd, F_DUPFD_CLOEXEC, 3); // the message closes its own
    }
    return 0;
  }

  // -- what logind says

  void go(off_reason why) {
    if (std::exchange(going_, why) != off_reason::none || ended_)
      return; // the older word for the same thing
    tell_.going(why, [weak = weak_from_this(), lane = lane_.shared_from_this()] {
      net::run_on(*lane, [weak] {
        if (const auto self = weak.lock())
          self->let_go();
      });
    });
  }

  void stay() {
    if (std::exchange(going_, off_reason::none) == off_reason::none || ended_)
      return;
    hold_back();
    tell_.staying();
  }

  void hear(bool begins, off_reason why) {
    if (begins)
      go(why);
    else
      stay();
  }

  static int on_shutdown_of_kind(sd_bus_message* signal, void* whose, sd_bus_error*) {
    int begins = 0;
    if (sd_bus_message_read(signal, "b", &begins) >= 0)
      static_cast<watcher*>(whose)->hear(begins != 0, reason_of_shutdown(kind_of(signal)));
    return 0;
  }
  static int on_shutdown(sd_bus_message* signal, void* whose, sd_bus_error*) {
    int begins = 0;
    if (sd_bus_message_read(signal, "b", &begins) >= 0)
      static_cast<watcher*>(whose)->hear(begins != 0, off_reason::shutdown);
    return 0;
  }
  static int on_sleep(sd_bus_message* signal, void* whose, sd_bus_error*) {
    int begins = 0;
    if (sd_bus_message_read(signal, "b", &begins) >= 0)
      static_cast<watcher*>(whose)->hear(begins != 0, off_reason::suspend);
    return 0;
  }
  /// logind was started (again): it knows nothing of our inhibitor.
  static int on_owner(sd_bus_message* signal, void* whose, sd_bus_error*) {
    const char* what = nullptr;
    const char* before = nullptr;
    const char* after = nullptr;
    auto& self = *static_cast<watcher*>(whose);
    if (sd_bus_message_read(signal, "sss", &what, &before, &after) >= 0
        && std::strcmp(what, logind) == 0 && *after != '\0') {
      self.let_go();
      self.hold_back();
    }
    return 0;
  }

  /// The entry "type" of a{sv}; empty when there is none.
  static std::string kind_of(sd_bus_message* signal) {
    std::string out;
    if (sd_bus_message_enter_container(signal, 'a', "{sv}") < 0)
      return out;
    while (sd_bus_message_enter_container(signal, 'e', "sv") > 0) {
      const char* key = nullptr;
      const char* value = nullptr;
      if (sd_bus_message_read(signal, "s", &key) < 0)
        break;
      if (std::strcmp(key, "type") != 0) {
        if (sd_bus_message_skip(signal, "v") < 0)
          break;
      } else if (sd_bus_message_read(signal, "v", "s", &value) >= 0) {
        out = value;
      } else {
        break;
      }
      if (sd_bus_message_exit_container(signal) < 0)
        break;
    }
    return out;
  }

  net::io_lane& lane_;
  logind_watch_options options_;
  callbacks tell_;
  asio::posix::stream_descriptor socket_;
  asio::steady_timer timer_;
  sd_bus* bus_ = nullptr;
  std::uint64_t turn_ = 0;
  int inhibitor_ = -1;
  bool asking_ = false;
  off_reason going_ = off_reason::none;
  std::atomic<bool> ended_{false};
};

logind_watch::logind_watch(net::io_lane& lane, logind_watch_options options, callbacks tell)
  : lane_(lane.shared_from_this()),
    watcher_(std::make_shared<watcher>(lane, std::move(options), std::move(tell))) {
  net::run_on(lane, [one = watcher_] { one->begin(); });
}

logind_watch::~logind_watch() {
  watcher_->hush();
  net::run_on(*lane_, [one = std::move(watcher_)] { one->end(); });
}

} // namespace muster::actors::probe
