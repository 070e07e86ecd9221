#pragma once
// What an administrator does while a fleet is played: by the log-in of `muster login`.

#include "apps/console/api.hpp"

#include <functional>
#include <string>
#include <thread>

namespace muster::load {

/// By the profile that `muster login` left. Throws console::failure when there is none.
[[nodiscard]] console::api logged_in_console();

/// Begins calls to devices, on a thread of its own.
class console_call {
public:
  /// POST /api/v1/calls. `done` is called on that thread, with a sentence when it did not work.
  void begin(const std::string& kind, const std::string& target,
             std::function<void(std::string problem)> done);

private:
  std::jthread work_;
};

} // namespace muster::load
