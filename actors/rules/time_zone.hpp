#pragma once
// Local time and UTC, by the rules of a named zone.

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace muster::rules {

using utc_seconds = std::chrono::sys_seconds;
using local_seconds = std::chrono::local_seconds;

/// One zone of the time zone database. Immutable and cheap to copy; any thread may use it.
///
/// The rules of a zone are read from the machine's zone files when it is asked for the first time
/// in the life of the process, and kept: this one file of `rules` has input, through its library
/// (CCTZ). Names that exist nowhere are kept too, so do not look up names that a stranger can
/// invent without end.
class time_zone {
public:
  static constexpr std::size_t name_bytes_max = 64;

  /// "Europe/Berlin", "UTC". Empty with a clause in `problem` when there is no such zone.
  [[nodiscard]] static std::optional<time_zone> find(std::string_view name, std::string& problem);
  [[nodiscard]] static time_zone utc();
  /// Whether the name has the form of one: what may be checked where no zone files are.
  [[nodiscard]] static bool is_name(std::string_view name) noexcept;

  [[nodiscard]] const std::string& name() const noexcept { return name_; }

  [[nodiscard]] local_seconds to_local(utc_seconds at) const;
  /// The instant at which clocks show `at`. Where they show it twice (an hour is repeated), the
  /// first time; where they never do (an hour is left out), the instant at which they are set
  /// forward. So this never goes back when `at` goes forward.
  [[nodiscard]] utc_seconds to_utc(local_seconds at) const;

  /// A stretch of time in which local time and UTC are so far apart.
  struct stretch {
    std::chrono::seconds offset{0}; ///< local minus UTC
    utc_seconds until = utc_seconds::max();
  };
  [[nodiscard]] stretch stretch_at(utc_seconds at) const;

private:
  struct rules;
  time_zone(std::string name, std::shared_ptr<const rules> r) noexcept;

  std::string name_;
  std::shared_ptr<const rules> rules_;
};

} // namespace muster::rules
