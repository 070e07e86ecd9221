#include "actors/agent/package_watch.hpp"

#include <asio/posix/stream_descriptor.hpp>
#include <asio/steady_timer.hpp>

#include <sys/inotify.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <utility>

namespace muster::actors {

namespace {

constexpr std::string_view watched_file{"status"};
constexpr std::uint32_t wanted =
  IN_MOVED_TO | IN_CLOSE_WRITE | IN_DELETE_SELF | IN_MOVE_SELF | IN_ONLYDIR;
constexpr std::uint32_t gone = IN_DELETE_SELF | IN_MOVE_SELF | IN_UNMOUNT | IN_IGNORED;
constexpr std::size_t reads_max = 16; // per wake-up; the rest wakes us again

std::error_code last_error() {
  return {errno, std::generic_category()};
}

} // namespace

/// Everything here happens on the lane, but the flag.
class package_watch::watcher : public std::enable_shared_from_this<watcher> {
public:
  watcher(net::io_lane& lane, package_watch_options options, callbacks tell)
    : directory_(options.root / "var/lib/dpkg"), options_(std::move(options)),
      tell_(std::move(tell)), queue_(lane.io), quiet_(lane.io), latest_(lane.io) {}

  void begin() {
    const int queue = ::inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
    if (queue < 0)
      return fail(last_error(), "the kernel gives no way to watch " + directory_.string());
    queue_.assign(queue);
    if (::inotify_add_watch(queue, directory_.c_str(), wanted) < 0)
      return fail(last_error(), "cannot watch " + directory_.string());
    touch();
    wait();
  }

  void end() {
    ended_ = true;
    std::error_code ignored;
    queue_.close(ignored);
    quiet_.cancel();
    latest_.cancel();
  }

  /// From any thread: say nothing any more.
  void hush() { ended_ = true; }

private:
  /// Handlers hold no strong pointer: what waits in a joined lane must not keep itself alive.
  template <class Member>
  auto mine(Member member) {
    return [weak = weak_from_this(), member](std::error_code ec) {
      if (const auto self = weak.lock(); self && !ec && !self->ended_)
        ((*self).*member)();
    };
  }

  void wait() {
    queue_.async_wait(asio::posix::stream_descriptor::wait_read, mine(&watcher::on_readable));
  }

  void on_readable() {
    alignas(inotify_event) std::array<char, 4096> buffer;
    bool touched = false;
    for (std::size_t reads = 0; reads < reads_max; ++reads) {
      const auto got = ::read(queue_.native_handle(), buffer.data(), buffer.size());
      if (got < 0 && errno == EAGAIN)
        break;
      if (got <= 0)
        return fail(last_error(), "cannot go on watching " + directory_.string());
      std::uint32_t seen = 0;
      touched = look_through({buffer.data(), static_cast<std::size_t>(got)}, seen) || touched;
      if ((seen & gone) != 0)
        return fail(std::make_error_code(std::errc::no_such_file_or_directory),
                    directory_.string() + " was taken away");
    }
    if (touched)
      touch();
    wait();
  }

  /// Whether the file was replaced, or events were lost and it may have been.
  static bool look_through(std::string_view bytes, std::uint32_t& seen) {
    bool touched = false;
    while (bytes.size() >= sizeof(inotify_event)) {
      inotify_event event{};
      std::memcpy(&event, bytes.data(), sizeof event);
      const auto whole = sizeof event + event.len;
      if (whole > bytes.size())
        break;
      const auto* name = bytes.data() + sizeof event;
      const std::string_view file{name, ::strnlen(name, event.len)};
      touched = touched || file == watched_file || (event.mask & IN_Q_OVERFLOW) != 0;
      seen |= event.mask;
      bytes.remove_prefix(whole);
    }
    return touched;
  }

  void touch() {
    quiet_.expires_after(options_.quiet);
    quiet_.async_wait(mine(&watcher::say));
    if (std::exchange(due_, true))
      return;
    latest_.expires_after(options_.latest);
    latest_.async_wait(mine(&watcher::say));
  }

  void say() {
    if (!std::exchange(due_, false))
      return;
    quiet_.cancel();
    latest_.cancel();
    tell_.changed();
  }

  void fail(std::error_code why, const std::string& what) {
    if (ended_)
      return;
    end();
    tell_.broken(why, what + ": " + why.message());
  }

  std::filesystem::path directory_;
  package_watch_options options_;
  callbacks tell_;
  asio::posix::stream_descriptor queue_;
  asio::steady_timer quiet_;
  asio::steady_timer latest_;
  bool due_ = false; ///< something has changed that nobody was told of
  std::atomic<bool> ended_{false};
};

package_watch::package_watch(net::io_lane& lane, package_watch_options options, callbacks tell)
  : lane_(lane.shared_from_this()),
    watcher_(std::make_shared<watcher>(lane, std::move(options), std::move(tell))) {
  net::run_on(lane, [one = watcher_] { one->begin(); });
}

package_watch::~package_watch() {
  watcher_->hush();
  // Its sockets are closed where they are used; in a joined lane nobody uses them.
  net::run_on(*lane_, [one = std::move(watcher_)] { one->end(); });
}

} // namespace muster::actors
