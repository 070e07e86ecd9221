#pragma once
// The time of day for programs; actors get it handed in.

#include <chrono>
#include <cstdint>

namespace muster {

[[nodiscard]] inline std::int64_t now_us() {
  return std::chrono::duration_cast<std::chrono::microseconds>(
           std::chrono::system_clock::now().time_since_epoch())
    .count();
}

} // namespace muster
