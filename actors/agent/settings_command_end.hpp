#pragma once
// How a command's end comes from the thread that waited for it. For settings_keeper's sources only.

#include "actors/agent/settings_keeper.hpp"

#include <mutex>
#include <optional>

namespace muster::actors {

struct settings_keeper_state::command_end {
  std::mutex mutex;
  std::optional<command_result> result;

  void put(command_result what) {
    const std::lock_guard guard{mutex};
    result = std::move(what);
  }
  [[nodiscard]] std::optional<command_result> take() {
    const std::lock_guard guard{mutex};
    return std::exchange(result, std::nullopt);
  }
};

} // namespace muster::actors
