#pragma once
// How long to wait before trying again, so that a fleet that lost its server together does not come
// back together.

#include <chrono>
#include <random>

namespace muster::rules {

/// Bounds of a back-off. `shortest` must be above zero and not above `longest`.
struct backoff_limits {
  std::chrono::milliseconds shortest{1000};
  std::chrono::milliseconds longest{std::chrono::minutes{10}};
};

/// Decorrelated jitter: each wait is drawn between the shortest and three times the one before, so
/// that waits grow about threefold but two agents never stay in step. Plain data; the generator is
/// the caller's, seeded by the caller (tests: a constant, agents: the system's randomness).
class backoff {
public:
  explicit backoff(backoff_limits limits = {}) : limits_(limits), last_(limits.shortest) {}

  /// The next wait, within the limits.
  [[nodiscard]] std::chrono::milliseconds next(std::mt19937_64& random);

  /// It worked: the next failure begins with a short wait again.
  void reset() { last_ = limits_.shortest; }

private:
  backoff_limits limits_;
  std::chrono::milliseconds last_;
};

/// A period with `percent` of random spread to both sides (percent above 100 counts as 100), so
/// that those who started together drift apart. At least a second.
[[nodiscard]] std::chrono::milliseconds jittered(std::chrono::milliseconds period,
                                                 unsigned percent, std::mt19937_64& random);

} // namespace muster::rules
