#include "storage/memory_store.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

namespace muster::storage {

namespace {

std::size_t index(family f) {
  return static_cast<std::size_t>(f);
}

/// First and last iterator of a range; the same twice when it is empty or upside down.
template <class Table>
auto within(Table& in, const key_range& range) {
  const auto begin = in.lower_bound(range.lower);
  const auto end = range.upper.empty() ? in.end() : in.lower_bound(range.upper);
  const bool empty = !range.upper.empty() && range.upper <= range.lower;
  return std::pair(begin, empty ? begin : end);
}

} // namespace

void memory_store::apply_to(tables& to, std::span<const change_batch> batches) {
  for (const auto& batch : batches) {
    for (const auto& change : batch) {
      auto& table = to[index(change.where)];
      switch (change.what) {
      case change::kind::put:
        table.insert_or_assign(change.key, change.value);
        break;
      case change::kind::erase:
        table.erase(change.key);
        break;
      case change::kind::erase_range: {
        const auto [begin, end] = within(table, {change.key, change.value});
        table.erase(begin, end);
        break;
      }
      }
    }
  }
}

std::error_code memory_store::fault() {
  if (standing_fault_)
    return standing_fault_;
  if (passing_faults_ == 0)
    return {};
  --passing_faults_;
  if (passing_fault_ == errc::sync_failed)
    standing_fault_ = passing_fault_;
  return passing_fault_;
}

std::error_code memory_store::apply(std::span<const change_batch> batches, bool durable,
                                    room may_use) {
  const std::lock_guard lock(mutex_);
  if (low_ && may_use != room::last && !std::all_of(batches.begin(), batches.end(), only_erases))
    return errc::disk_full;
  if (const auto ec = fault())
    return ec;
  apply_to(current_, batches);
  unsynced_.insert(unsynced_.end(), batches.begin(), batches.end());
  if (durable) {
    apply_to(synced_, std::exchange(unsynced_, {}));
    ++syncs_;
  }
  return {};
}

void memory_store::run_sync_hook() {
  std::function<void()> hook;
  {
    const std::lock_guard lock(mutex_);
    hook = sync_hook_;
  }
  if (hook)
    hook();
}

std::error_code memory_store::write_sync(std::span<const change_batch> batches, room may_use) {
  run_sync_hook();
  const auto ec = apply(batches, true, may_use);
  if (!ec) {
    const std::lock_guard lock(mutex_);
    ++writes_;
  }
  return ec;
}

std::error_code memory_store::write(std::span<const change_batch> batches, room may_use) {
  const auto ec = apply(batches, false, may_use);
  if (!ec) {
    const std::lock_guard lock(mutex_);
    ++writes_;
  }
  return ec;
}

std::error_code memory_store::sync() {
  run_sync_hook();
  const std::lock_guard lock(mutex_);
  // What is written has its room.
  if (standing_fault_ == errc::sync_failed
      || (passing_faults_ > 0 && passing_fault_ == errc::sync_failed))
    return fault();
  apply_to(synced_, std::exchange(unsynced_, {}));
  ++syncs_;
  return {};
}

std::optional<std::string> memory_store::get(family f, std::string_view key,
                                             std::error_code& ec) const {
  const std::lock_guard lock(mutex_);
  ec = read_fault_;
  const auto& table = current_[index(f)];
  const auto found = table.find(key);
  return ec || found == table.end() ? std::nullopt : std::optional(found->second);
}

std::error_code memory_store::scan(family f, const key_range& range, bool reverse,
                                   const visitor& visit) const {
  const std::lock_guard lock(mutex_);
  if (read_fault_)
    return read_fault_;
  const auto& table = current_[index(f)];
  auto [begin, end] = within(table, range);
  while (begin != end) {
    const auto here = reverse ? std::prev(end) : begin;
    if (!visit(here->first, here->second))
      break;
    if (reverse)
      end = here;
    else
      ++begin;
  }
  return {};
}

store::space memory_store::measure() const {
  const std::lock_guard lock(mutex_);
  space out;
  out.free_bytes = free_bytes_;
  for (const auto& table : current_)
    for (const auto& [key, value] : table)
      out.used_bytes += key.size() + value.size();
  return out;
}

std::uint64_t memory_store::measure(family f, const key_range& range) const {
  const std::lock_guard lock(mutex_);
  std::uint64_t out = 0;
  const auto [begin, end] = within(current_[index(f)], range);
  for (auto at = begin; at != end; ++at)
    out += at->first.size() + at->second.size();
  return out;
}

void memory_store::fail_writes(std::error_code ec) {
  const std::lock_guard lock(mutex_);
  if (standing_fault_ != errc::sync_failed)
    standing_fault_ = ec;
}

void memory_store::run_low(bool low) {
  const std::lock_guard lock(mutex_);
  low_ = low;
}

void memory_store::fail_next_writes(std::size_t n, std::error_code ec) {
  const std::lock_guard lock(mutex_);
  passing_faults_ = n;
  passing_fault_ = ec;
}

void memory_store::fail_reads(std::error_code ec) {
  const std::lock_guard lock(mutex_);
  read_fault_ = ec;
}

void memory_store::on_sync(std::function<void()> hook) {
  const std::lock_guard lock(mutex_);
  sync_hook_ = std::move(hook);
}

std::unique_ptr<memory_store> memory_store::after_power_loss() const {
  const std::lock_guard lock(mutex_);
  auto out = std::make_unique<memory_store>();
  out->current_ = synced_;
  out->synced_ = synced_;
  return out;
}

std::size_t memory_store::syncs() const {
  const std::lock_guard lock(mutex_);
  return syncs_;
}

std::size_t memory_store::writes() const {
  const std::lock_guard lock(mutex_);
  return writes_;
}

std::size_t memory_store::keys(family f) const {
  const std::lock_guard lock(mutex_);
  return current_[index(f)].size();
}

void memory_store::set_free_bytes(std::uint64_t bytes) {
  const std::lock_guard lock(mutex_);
  free_bytes_ = bytes;
}

} // namespace muster::storage
