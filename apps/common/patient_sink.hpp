#pragma once
// Where log lines go when nobody may be made to wait for whoever reads them.

#include <spdlog/sinks/base_sink.h>

#include <cstddef>
#include <cstdint>
#include <mutex>
#include <string_view>

namespace muster::logging {

/// Writes to a descriptor without ever waiting for a pipe or socket that is full: a server whose
/// stderr nobody reads goes on serving. Lines for which there is no room are dropped and counted;
/// the first one that finds room again is preceded by their number. (On a terminal that somebody
/// has stopped, a line may wait.) Thread-safe; the descriptor is the caller's, and is not changed:
/// others may share it.
class patient_sink final : public spdlog::sinks::base_sink<std::mutex> {
public:
  explicit patient_sink(int descriptor);

  /// Lines dropped so far, by all sinks of the process.
  [[nodiscard]] static std::uint64_t dropped() noexcept;

protected:
  void sink_it_(const spdlog::details::log_msg& message) override;
  void flush_() override {}

private:
  [[nodiscard]] bool has_room() const;
  /// How much of it went out.
  [[nodiscard]] std::size_t write(std::string_view text) const;
  bool write_line(std::string_view line);

  const int descriptor_;
  const bool is_socket_;
  bool in_a_line_ = false;     ///< the last line went out in part
  std::uint64_t untold_ = 0;   ///< dropped since the last line that went out
};

} // namespace muster::logging
