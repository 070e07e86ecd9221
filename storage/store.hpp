#pragma once
// The port behind which everything that survives is kept. RocksDB in production, memory in tests.
// CAF-free, blocking.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

namespace muster::storage {

/// Column families, at most six (a cold one pins every log). README.md has the table of keys.
enum class family : std::uint8_t {
  meta,       ///< schema, users, enrolment tokens, settings of the server
  devices,    ///< one record per device, by id; and by key hash
  inventory,  ///< sections per device, compressed
  index,      ///< application and version to devices; device to event blocks
  events,     ///< blocks of events, by severity, day and receive time
  audit,      ///< who changed what, by time
};
inline constexpr std::size_t families = 6;

/// One change of a batch. For `erase_range`, `value` is the upper bound (exclusive).
struct change {
  enum class kind : std::uint8_t { put, erase, erase_range };
  kind what = kind::put;
  family where = family::meta;
  std::string key;
  std::string value;
};

using change_batch = std::vector<change>;

[[nodiscard]] inline change put(family f, std::string key, std::string value) {
  return {change::kind::put, f, std::move(key), std::move(value)};
}
[[nodiscard]] inline change erase(family f, std::string key) {
  return {change::kind::erase, f, std::move(key), {}};
}
[[nodiscard]] inline change erase_range(family f, std::string lower, std::string upper) {
  return {change::kind::erase_range, f, std::move(lower), std::move(upper)};
}

/// How much of a volume that runs full a write may use.
enum class room : std::uint8_t {
  common, ///< all but the reserve
  last,   ///< of the reserve, too, but for a quarter: for what cannot wait
};

/// Such batches may always use the last room: without them there would never be more.
[[nodiscard]] inline bool only_erases(const change_batch& batch) {
  return std::none_of(batch.begin(), batch.end(),
                      [](const change& one) { return one.what == change::kind::put; });
}

/// Half-open range of keys in bytewise order; an empty `upper` is the end of the family.
struct key_range {
  std::string lower;
  std::string upper;
};

/// Return false to stop the scan.
using visitor = std::function<bool(std::string_view key, std::string_view value)>;

/// Reads are thread-safe and may run beside writes, and so may sync(); writes come from one thread (the
/// writer's).
class store {
public:
  virtual ~store() = default;
  /// Applies all batches atomically; with success the data survives power loss. errc::disk_full:
  /// nothing of it will be there, try again when there is room. errc::sync_failed: final for this
  /// process, whatever the disk holds is found out at the next start. Batches that all do nothing
  /// but erase may use the last room, whatever is said.
  [[nodiscard]] virtual std::error_code write_sync(std::span<const change_batch> batches,
                                                   room may_use = room::common) = 0;
  /// Applies all batches atomically, into the write-ahead log: survives the death of the process,
  /// and power loss after the next write_sync() or sync().
  [[nodiscard]] virtual std::error_code write(std::span<const change_batch> batches,
                                              room may_use = room::common) = 0;
  /// Makes those write()s survive power loss that ended before this call began. Any thread.
  [[nodiscard]] virtual std::error_code sync() = 0;
  /// Empty without an error: no such key.
  [[nodiscard]] virtual std::optional<std::string> get(family f, std::string_view key,
                                                       std::error_code& ec) const = 0;
  /// Visits keys in order (or from the last down, `reverse`) as of the moment of the call.
  [[nodiscard]] virtual std::error_code scan(family f, const key_range& range, bool reverse,
                                             const visitor& visit) const = 0;
  /// Bytes free on the volume, and used by the store.
  struct space {
    std::uint64_t free_bytes = 0;
    std::uint64_t used_bytes = 0;
  };
  [[nodiscard]] virtual space measure() const = 0;
  /// About how many bytes the store uses for a range of keys; 0 when it cannot tell. Costs a look
  /// at indexes, not at what they point to; good to some percent once much is there. What was
  /// erased counts no more, reclaimed or not, as long as the range asked for leaves it out.
  [[nodiscard]] virtual std::uint64_t measure(family f, const key_range& range) const = 0;
};

} // namespace muster::storage
