#pragma once
// Says when the package database has changed: at once, not at the next sync.

#include "net/io_pool.hpp"

#include <chrono>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <system_error>

namespace muster::actors {

struct package_watch_options {
  std::filesystem::path root = "/";     ///< another one in tests
  std::chrono::milliseconds quiet{500}; ///< told when nothing has moved for so long ...
  std::chrono::milliseconds latest{std::chrono::seconds{5}}; ///< ... at the latest after this
};

/// Watches the directory of dpkg's `status`, which every run of dpkg replaces, some several times,
/// by rename; a run becomes one message. Lives on one io lane: the callbacks are called there and
/// must not block. The lane's pool may be joined before or after the watch is dropped.
class package_watch {
public:
  struct callbacks {
    /// Look now. Also told once when the watch stands, so that no change falls in between.
    std::function<void()> changed;
    /// The directory is missing, cannot be watched, or was taken away; the text is a sentence.
    /// Called at most once, and nothing is told after it: changes then show at the next sync.
    std::function<void(std::error_code, const std::string&)> broken;
  };

  package_watch(net::io_lane& lane, package_watch_options options, callbacks tell);
  /// Nothing is told after this, save by a callback that is running right now. Any thread.
  ~package_watch();
  package_watch(const package_watch&) = delete;
  package_watch& operator=(const package_watch&) = delete;

private:
  class watcher;
  std::shared_ptr<net::io_lane> lane_; ///< outlives the watcher's sockets
  std::shared_ptr<watcher> watcher_;
};

} // namespace muster::actors
