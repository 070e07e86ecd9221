#pragma once
// What the server costs, when it runs on this machine.

#include <cstdint>
#include <optional>

namespace muster::load {

/// A process as the kernel counts it (proc(5): stat, statm).
class server_watch {
public:
  /// Finds the one muster-server of this machine; none or several: empty.
  [[nodiscard]] static std::optional<server_watch> find();
  explicit server_watch(std::int32_t pid) : pid_(pid) {}

  /// CPU since the last look, of one core; 0 at the first look and when the process is gone.
  double cpu_percent();
  [[nodiscard]] std::uint64_t memory_bytes() const;
  /// CPU from the first look to the last.
  [[nodiscard]] double cpu_seconds() const noexcept { return last_s_ - first_s_; }
  [[nodiscard]] std::int32_t pid() const noexcept { return pid_; }

private:
  std::int32_t pid_;
  double first_s_ = -1;
  double last_s_ = 0;
  std::int64_t looked_us_ = 0;
};

} // namespace muster::load
