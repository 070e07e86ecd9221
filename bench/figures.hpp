#pragma once
// How a benchmark tells what it measured: one JSON object per line on standard output, nothing
// else there. bench/run reads them; remarks for people go to standard error.

#include <algorithm>
#include <cstddef>
#include <cstdio>
#include <optional>
#include <string_view>
#include <vector>

namespace muster::bench {

/// What a figure must stay within to be good. Without one it is for information.
struct bound {
  enum class kind : unsigned char { at_most, at_least };
  kind what = kind::at_most;
  double value = 0;
};

[[nodiscard]] constexpr bound at_most(double value) {
  return {bound::kind::at_most, value};
}
[[nodiscard]] constexpr bound at_least(double value) {
  return {bound::kind::at_least, value};
}

/// One benchmark's figures, in the order told. The names have no quotes and no backslashes.
class figures {
public:
  explicit figures(std::string_view benchmark) : benchmark_(benchmark) {}

  void tell(std::string_view figure, double value, std::string_view unit,
            std::optional<bound> limit = {}) {
    std::printf(R"({"bench":"%.*s","figure":"%.*s","value":%.4g,"unit":"%.*s")", length(benchmark_),
                benchmark_.data(), length(figure), figure.data(), value, length(unit), unit.data());
    if (limit) {
      const bool most = limit->what == bound::kind::at_most;
      const bool good = most ? value <= limit->value : value >= limit->value;
      std::printf(R"(,"bound":"%s %.4g","good":%s)", most ? "<=" : ">=", limit->value,
                  good ? "true" : "false");
      all_good_ = all_good_ && good;
    }
    std::printf("}\n");
    std::fflush(stdout);
  }

  /// Exit code of the benchmark: 0 when every bound was kept, 1 when not.
  [[nodiscard]] int exit_code() const { return all_good_ ? 0 : 1; }

private:
  static int length(std::string_view text) { return static_cast<int>(text.size()); }

  std::string_view benchmark_;
  bool all_good_ = true;
};

/// Of rounds that were disturbed now and then, the middle one says most. Not of an empty list.
[[nodiscard]] inline double median(std::vector<double> values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

} // namespace muster::bench
