#pragma once
// What the root knows of each stage of its children: how they are stopped, and what their loss
// means.

#include "actors/messages.hpp"

#include <array>
#include <chrono>
#include <cstddef>
#include <string_view>

namespace muster::actors {

enum class when_lost : std::uint8_t {
  restart, ///< start it again, within the budget; beyond it, stop the server
  forget,  ///< its peer comes back by itself
  fatal,   ///< stop the server
};

struct stage_rule {
  std::string_view name;
  /// Exit ahead of what waits in the mailbox; otherwise behind it, so that accepted work drains.
  bool jumps_queue = true;
  when_lost loss = when_lost::forget;
  /// How long a stop waits before it kills what is left of the stage.
  std::chrono::milliseconds grace{1000};
};

inline constexpr std::size_t stages = 7;

/// In the order of stop; index: stage.
inline constexpr std::array<stage_rule, stages> stage_rules = {{
  {"ports", true, when_lost::restart, std::chrono::milliseconds{500}},
  {"sessions", true, when_lost::forget, std::chrono::milliseconds{1000}},
  {"work", true, when_lost::forget, std::chrono::milliseconds{500}},
  {"consoles", true, when_lost::forget, std::chrono::milliseconds{500}},
  {"fleet", false, when_lost::fatal, std::chrono::milliseconds{1000}},
  {"readers", false, when_lost::fatal, std::chrono::milliseconds{500}},
  // Never killed in the middle of a commit by impatience: a slow disk gets its time.
  {"writer", false, when_lost::fatal, std::chrono::milliseconds{30'000}},
}};

[[nodiscard]] constexpr const stage_rule& rule_of(stage s) noexcept {
  return stage_rules[static_cast<std::size_t>(s)];
}

/// A port may die this often within restart_window; once more stops the server.
inline constexpr std::size_t restarts_max = 5;
inline constexpr std::chrono::seconds restart_window{60};
/// Pause before a port is started again, so that a port in trouble does not spin.
inline constexpr std::chrono::milliseconds restart_pause{200};

} // namespace muster::actors
