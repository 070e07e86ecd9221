#pragma once
// What an administrator does while a fleet is played: by the log-in of `muster login`.

#include "apps/console/api.hpp"

#include <functional>
#include <string>
#include <thread>

namespace muster::load {

/// By the profile that `muster login` left. Throws console::failure when there is none.
[[nodiscard]] console::api logged_in_console();

/// Posts to the admin API, each time on a thread of its own.
class console_call {
public:
  /// `path` is below /api/v1. `done` is called on that thread, with a sentence when it did not work.
  void post(const std::string& path, const std::string& body,
            std::function<void(const std::string& problem)> done);

private:
  std::jthread work_;
};

} // namespace muster::load
