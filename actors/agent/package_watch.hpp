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

/// Watches the directory of dpkg's `status`, which every run of dpkg replaces several times by
/// rename; a run becomes one message. Lives on one io lane: the callbacks are called there and must
/// not block. The lane's pool may be joined, and the watch dropped, in any order.
class package_watch {
public:
  /// `changed`: look now. `broken`: the directory is missing, cannot be watched, or was taken away;
  /// the text is a sentence, and nothing is told any more (changes are still found by each sync).
  /// Called at most once, possibly before start() returns it to the caller.
  static std::shared_ptr<package_watch>
  start(net::io_lane& lane, package_watch_options options, std::function<void()> changed,
        std::function<void(std::error_code, const std::string&)> broken);

  /// Nothing is told after the handler that may be running now. Any thread, any number of times.
  void stop();

private:
  package_watch() = default;
};

} // namespace muster::actors
