#pragma once
// What a run measured: exact quantiles, counts by the second, errors by cause. Pure.

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace muster::load {

/// Every latency there was, so that quantiles are exact: 4 bytes each, in microseconds, at most 71
/// minutes (longer ones count as that).
class latencies {
public:
  void add(std::chrono::microseconds took);
  [[nodiscard]] std::size_t count() const noexcept { return all_.size(); }
  /// Nearest rank: the smallest one that at least `share` (0 to 1) of all do not exceed. Zero when
  /// there is none.
  [[nodiscard]] std::chrono::microseconds quantile(double share) const;
  [[nodiscard]] std::chrono::microseconds max() const { return quantile(1); }

private:
  mutable std::vector<std::uint32_t> all_;
  mutable bool sorted_ = true;
};

/// The quantiles that every report has.
struct named_quantile {
  std::string_view name;
  double share;
};
inline constexpr std::array<named_quantile, 5> quantiles = {
  {{"p50", 0.5}, {"p90", 0.9}, {"p99", 0.99}, {"p99.9", 0.999}, {"max", 1}}};

/// One second of a run.
struct second {
  std::uint64_t done = 0;
  std::uint64_t errors = 0;
  std::uint32_t p50_us = 0;
  std::uint32_t p99_us = 0;
  std::uint32_t max_us = 0;
  double server_cpu_percent = 0; ///< of one core
  std::uint64_t server_memory_bytes = 0;
};

struct figure {
  std::string name;
  double value = 0;
  std::string unit; ///< empty: a count
};

/// What a scenario leaves behind.
class result {
public:
  explicit result(std::string scenario_name) : scenario(std::move(scenario_name)) {}

  std::string scenario;
  std::vector<figure> figures;   ///< in the order told
  std::string latency_of;        ///< what the latencies are of: "sync", "acknowledgement"
  load::latencies latencies;
  std::map<std::string, std::uint64_t> errors; ///< by cause
  std::vector<second> timeline;

  /// One thing was done, so long after the moment at which it was meant to begin.
  void done(std::chrono::microseconds took);
  void failed(const std::string& cause);
  void tell(std::string name, double value, std::string unit = {});
  [[nodiscard]] std::uint64_t error_count() const;
  /// Empty: no figure of this name.
  [[nodiscard]] const figure* find(std::string_view name) const;
  /// Closes the present second.
  void next_second(double server_cpu_percent, std::uint64_t server_memory_bytes);
  /// Of the present second, for whoever watches.
  [[nodiscard]] const second& present() const noexcept { return now_; }

private:
  second now_;
  load::latencies of_now_;
};

} // namespace muster::load
