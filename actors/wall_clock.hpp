#pragma once
// The time of day, injected: actors never ask the system themselves.

#include <cstdint>
#include <functional>

namespace muster::actors {

/// Microseconds since 1970 (UTC). Must be callable from any thread.
using wall_clock = std::function<std::int64_t()>;

} // namespace muster::actors
