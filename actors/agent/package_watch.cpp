#include "actors/agent/package_watch.hpp"

#include "actors/agent/settling_watch.hpp"

#include <sys/inotify.h>
#include <unistd.h>

#include <array>
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

class package_watch::watcher : public settling_watch {
public:
  watcher(net::io_lane& lane, const package_watch_options& options, callbacks tell)
    : settling_watch(lane, options.quiet, options.latest, std::move(tell.changed)),
      directory_(options.root / "var/lib/dpkg"), broken_(std::move(tell.broken)) {}

  void begin() override {
    const int queue = ::inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
    if (queue < 0)
      return fail(last_error(), "the kernel gives no way to watch " + directory_.string());
    take(queue);
    if (::inotify_add_watch(queue, directory_.c_str(), wanted) < 0)
      return fail(last_error(), "cannot watch " + directory_.string());
    touch();
    wait();
  }

private:
  bool read_news() override {
    alignas(inotify_event) std::array<char, 4096> buffer;
    bool touched = false;
    for (std::size_t reads = 0; reads < reads_max; ++reads) {
      const auto got = ::read(descriptor(), buffer.data(), buffer.size());
      if (got < 0 && errno == EAGAIN)
        break;
      if (got <= 0) {
        fail(last_error(), "cannot go on watching " + directory_.string());
        return false;
      }
      std::uint32_t seen = 0;
      touched = look_through({buffer.data(), static_cast<std::size_t>(got)}, seen) || touched;
      if ((seen & gone) != 0) {
        fail(std::make_error_code(std::errc::no_such_file_or_directory),
             directory_.string() + " was taken away");
        return false;
      }
    }
    return touched;
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

  void fail(std::error_code why, const std::string& what) {
    if (has_ended())
      return;
    end();
    broken_(why, what + ": " + why.message());
  }

  std::filesystem::path directory_;
  std::function<void(std::error_code, const std::string&)> broken_;
};

package_watch::package_watch(net::io_lane& lane, package_watch_options options, callbacks tell)
  : lane_(lane.shared_from_this()),
    watcher_(std::make_shared<watcher>(lane, options, std::move(tell))) {
  begin_watch(lane, watcher_);
}

package_watch::~package_watch() { end_watch(*lane_, std::move(watcher_)); }

} // namespace muster::actors
