#pragma once
// What all sync jobs may hold together: a bound on section content in memory, and one storing job
// per device.
//
// After an outage a whole fleet syncs at once, and a bound on each job is none on all of them. The
// job that would be too many is told so, and its agent to come back (`busy`). Shares are units: an
// actor that dies, however it dies, gives its own back.

#include "actors/rules/ids.hpp"
#include "actors/server/session_limits.hpp"

#include <cstddef>
#include <memory>
#include <mutex>
#include <optional>
#include <unordered_set>
#include <utility>

namespace muster::actors {

class sync_ledger;
using sync_ledger_ptr = std::shared_ptr<sync_ledger>;

/// A share of the bytes; gives them back when it goes, and keeps the ledger alive until then.
/// Belongs to one actor. Never shrinks: what a section needed the next one may use.
class content_unit {
public:
  content_unit() = default;
  content_unit(content_unit&& other) noexcept { swap(other); }
  content_unit& operator=(content_unit&& other) noexcept {
    content_unit(std::move(other)).swap(*this);
    return *this;
  }
  ~content_unit();

  /// Makes the share at least this large. False: others hold too much, and nothing has changed.
  [[nodiscard]] bool grow_to(std::size_t bytes);
  /// Whether it is a share at all; a default one holds nothing and cannot grow.
  [[nodiscard]] explicit operator bool() const noexcept { return bytes_ > 0; }

private:
  friend class sync_ledger;
  void swap(content_unit& other) noexcept {
    std::swap(ledger_, other.ledger_);
    std::swap(bytes_, other.bytes_);
  }

  sync_ledger_ptr ledger_;
  std::size_t bytes_ = 0;
};

/// The right to replace a device's sections; one at a time, so that the index always follows from
/// the section that was there before. Two jobs of one device meet when a connection has taken over
/// and the old one's job is not yet done. The right ends with its job, not with the job's last
/// write: a new holder first lets the writer finish what it has (sync_job).
class storing_unit {
public:
  storing_unit() = default;
  storing_unit(storing_unit&& other) noexcept { swap(other); }
  storing_unit& operator=(storing_unit&& other) noexcept {
    storing_unit(std::move(other)).swap(*this);
    return *this;
  }
  ~storing_unit();

  [[nodiscard]] explicit operator bool() const noexcept { return ledger_ != nullptr; }

private:
  friend class sync_ledger;
  void swap(storing_unit& other) noexcept {
    std::swap(ledger_, other.ledger_);
    std::swap(device_, other.device_);
  }

  sync_ledger_ptr ledger_;
  rules::device_id device_;
};

/// Thread-safe. Asked a few times per sync that carries content, never by an idle one; so a lock
/// that is held for nanoseconds does, where an actor would cost every sync two messages.
class sync_ledger : public std::enable_shared_from_this<sync_ledger> {
public:
  explicit sync_ledger(std::size_t bytes_max = session_limits::sync_content_bytes_max)
    : bytes_max_(bytes_max) {}

  /// The first share of a job. Empty when others hold too much; nothing waits for room.
  [[nodiscard]] content_unit reserve(std::size_t bytes);
  /// Empty while another job stores for this device.
  [[nodiscard]] storing_unit begin_storing(const rules::device_id& device);

  /// Of all shares together, for those who measure.
  [[nodiscard]] std::size_t bytes_held() const;

private:
  friend class content_unit;
  friend class storing_unit;
  bool take(std::size_t bytes); ///< false: above the bound, and nothing is taken
  void give_back(std::size_t bytes);
  void end_storing(const rules::device_id& device);

  const std::size_t bytes_max_;
  mutable std::mutex mutex_;
  std::size_t bytes_ = 0;
  std::unordered_set<rules::device_id> storing_; ///< at most one entry per job
};

} // namespace muster::actors
