#include "actors/server/sync_ledger.hpp"

#include <muster/assert.hpp>

namespace muster::actors {

content_unit::~content_unit() {
  if (ledger_)
    ledger_->give_back(bytes_);
}

bool content_unit::grow_to(std::size_t bytes) {
  if (bytes <= bytes_)
    return true;
  if (!ledger_ || !ledger_->take(bytes - bytes_))
    return false;
  bytes_ = bytes;
  return true;
}

storing_unit::~storing_unit() {
  if (ledger_)
    ledger_->end_storing(device_);
}

content_unit sync_ledger::reserve(std::size_t bytes) {
  content_unit out;
  if (take(bytes)) {
    out.ledger_ = shared_from_this();
    out.bytes_ = bytes;
  }
  return out;
}

storing_unit sync_ledger::begin_storing(const rules::device_id& device) {
  storing_unit out;
  const std::lock_guard lock(mutex_);
  if (storing_.insert(device).second) {
    out.ledger_ = shared_from_this();
    out.device_ = device;
  }
  return out;
}

std::size_t sync_ledger::bytes_held() const {
  const std::lock_guard lock(mutex_);
  return bytes_;
}

bool sync_ledger::take(std::size_t bytes) {
  const std::lock_guard lock(mutex_);
  if (bytes > bytes_max_ - bytes_)
    return false;
  bytes_ += bytes;
  return true;
}

void sync_ledger::give_back(std::size_t bytes) {
  const std::lock_guard lock(mutex_);
  MUSTER_ASSERT(bytes <= bytes_, "more is given back than was taken");
  bytes_ -= bytes;
}

void sync_ledger::end_storing(const rules::device_id& device) {
  const std::lock_guard lock(mutex_);
  storing_.erase(device);
}

} // namespace muster::actors
