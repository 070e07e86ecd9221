#pragma once
// What all sync jobs may hold together: a bound on section content in memory, and one storing job
// per device.

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

/// A share of the bytes; gives them back when it goes. Belongs to one actor.
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
/// the section that was there before.
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

  /// Empty when others hold too much.
  [[nodiscard]] content_unit reserve(std::size_t bytes);
  /// Empty while another job stores for this device.
  [[nodiscard]] storing_unit begin_storing(const rules::device_id& device);

  [[nodiscard]] std::size_t bytes_held() const;

private:
  friend class content_unit;
  friend class storing_unit;
  bool take(std::size_t bytes);
  void give_back(std::size_t bytes);
  void end_storing(const rules::device_id& device);

  const std::size_t bytes_max_;
  mutable std::mutex mutex_;
  std::size_t bytes_ = 0;
  std::unordered_set<rules::device_id> storing_;
};

} // namespace muster::actors
