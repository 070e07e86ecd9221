#pragma once
// How often somebody may try: a budget of attempts per name (a user, an address) that refills with
// time. Counted before the work, whatever comes out of it.

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <unordered_map>

namespace muster::rules {

struct attempt_limits {
  /// So many at once ...
  std::uint32_t burst = 10;
  /// ... and one more after each of these.
  std::chrono::microseconds refill{std::chrono::seconds{30}};
  /// Names remembered. When there are more, the new ones share one budget, so that nobody gains
  /// attempts by inventing names.
  std::size_t names_max = 10'000;
};

/// Token buckets by name. Not thread-safe; times are the caller's, in microseconds, and may stand
/// still. A clock that goes back refills nothing.
class attempt_budget {
public:
  explicit attempt_budget(attempt_limits limits = {}) : limits_(limits) {}

  /// Takes one attempt. Zero: it may be made. Otherwise how long until the next one may, and
  /// nothing is taken.
  [[nodiscard]] std::chrono::microseconds take(const std::string& name, std::int64_t now_us);
  /// How long until an attempt may be made; zero: now. Takes nothing.
  [[nodiscard]] std::chrono::microseconds wait(const std::string& name, std::int64_t now_us) const;
  /// The attempt was a good one: all is forgiven.
  void forgive(const std::string& name);

  [[nodiscard]] std::size_t names() const noexcept { return spent_until_.size(); }

private:
  [[nodiscard]] const std::string& bucket_of(const std::string& name) const;
  void forget_refilled(std::int64_t now_us);

  attempt_limits limits_;
  /// When the budget will be whole again: a bucket in one number.
  std::unordered_map<std::string, std::int64_t> spent_until_;
};

/// What counts as one source: an IPv4 address, or the 64-bit network of an IPv6 address, which is
/// what one subscriber has.
[[nodiscard]] std::string source_of(const std::string& address);

} // namespace muster::rules
