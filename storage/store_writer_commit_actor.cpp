// How what the writer has gathered gets onto the disk, and who is told when.

#include "storage/event_blocks_actor.hpp"
#include "storage/store_writer_actor.hpp"

#include <algorithm>
#include <utility>

namespace muster::storage {

void store_writer_state::commit() {
  if (gathered_.none())
    return;
  add_entries();
  const auto begin = self_->clock().now();
  // Nothing to write for appends alone that learn what became of others.
  auto ec = batch_.empty() ? std::error_code{} : write(batch_, room::common);
  // That there is the last room does not mean that there is room.
  const bool says_little = !ec && trouble_ == errc::disk_full && gathered_.appends.empty() &&
                           std::all_of(gathered_.puts.begin(), gathered_.puts.end(),
                                       [](const put_waiter& one) { return one.may_use_last_room; });
  if (ec == errc::disk_full && commit_what_may_use_last_room() == errc::sync_failed)
    ec = errc::sync_failed;
  totals_.commit_ns += (self_->clock().now() - begin).count();
  if (!says_little)
    note(ec);
  settle(ec);
}

std::error_code store_writer_state::write(const change_batch& changes, room may_use) {
  const auto ec = options_.db->write(std::span<const change_batch>(&changes, 1), may_use);
  if (!ec) {
    ++totals_.commits;
    totals_.changes += changes.size();
  }
  return ec;
}

/// Those who asked for it are not refused with the others.
std::error_code store_writer_state::commit_what_may_use_last_room() {
  auto& puts = gathered_.puts;
  const auto refused = std::stable_partition(
    puts.begin(), puts.end(), [](const put_waiter& one) { return one.may_use_last_room; });
  if (refused == puts.begin())
    return {};
  change_batch changes;
  for (auto at = puts.begin(); at != refused; ++at)
    for (auto i = at->first; i < at->last; ++i)
      changes.push_back(std::move(batch_[i]));
  const auto ec = write(changes, room::last);
  if (ec)
    return ec; // refused with the others after all
  ++totals_.last_room_commits;
  for (auto at = puts.begin(); at != refused; ++at)
    wait_for_sync(std::move(*at));
  puts.erase(puts.begin(), refused);
  return {};
}

void store_writer_state::wait_for_sync(put_waiter one) {
  if (one.needs_sync) {
    written_.puts.push_back(std::move(one));
    return;
  }
  facts_unsynced_ = true;
  one.promise.deliver(caf::ok_atom_v);
}

/// What the commit means for those who share it, and for our own state.
void store_writer_state::settle(const std::error_code& ec) {
  if (ec) {
    ++totals_.failed_commits;
    answer(gathered_, ec);
  } else {
    totals_.bytes += batch_bytes_;
    for (auto& waiter : gathered_.puts)
      wait_for_sync(std::move(waiter));
    std::move(gathered_.appends.begin(), gathered_.appends.end(),
              std::back_inserter(written_.appends));
    for (const auto& [device, behind] : gathered_positions_)
      written_positions_[device] = behind;
  }
  forget_gathered();
  if (!written_.none() && !sync_on_its_way_)
    start_sync();
  arm_fact_timer();
}

void store_writer_state::forget_gathered() {
  gathered_ = {};
  gathered_positions_.clear();
  batch_.clear();
  batch_bytes_ = 0;
}

// -- syncing --------------------------------------------------------------------------------------

void store_writer_state::start_sync() {
  syncing_ = std::exchange(written_, {});
  facts_unsynced_ = false;
  sync_on_its_way_ = true;
  ++totals_.syncs;
  if (!syncer_)
    return synced(options_.db->sync());
  self_->request(syncer_, caf::infinite, atom::commit_v)
    .then([this](caf::ok_atom) { synced({}); },
          [this](const caf::error&) { synced(errc::sync_failed); });
}

void store_writer_state::synced(const std::error_code& ec) {
  sync_on_its_way_ = false;
  auto those = std::exchange(syncing_, {});
  if (ec) {
    note(ec);
    for (auto* all : {&those, &written_, &gathered_})
      answer(*all, ec);
    return forget_gathered();
  }
  remember_positions(those);
  // The disk first: who is answered is in no hurry compared to it.
  if (!gathered_.none())
    commit();
  else if (!written_.none())
    start_sync();
  answer(those, ec);
  arm_fact_timer();
}

void store_writer_state::remember_positions(const waiters& those) {
  for (const auto& waiter : those.appends) {
    if (waiter.moved)
      continue;
    const auto& device = numbered_by(*waiter.what);
    const auto pending = written_positions_.find(device);
    if (pending == written_positions_.end())
      continue; // removed meanwhile
    positions_.put(device, waiter.result.position);
    if (pending->second == waiter.result.position)
      written_positions_.erase(pending);
  }
}

void store_writer_state::tick() {
  tick_on_its_way_ = false;
  if (facts_unsynced_ && !sync_on_its_way_)
    start_sync();
  arm_fact_timer();
}

void store_writer_state::arm_fact_timer() {
  if (!facts_unsynced_ || tick_on_its_way_)
    return;
  tick_on_its_way_ = true;
  self_->delayed_send(self_, options_.fact_sync_delay, atom::tick_v);
}

void store_writer_state::stop(const caf::exit_msg& why) {
  commit();
  if (sync_on_its_way_ || !written_.none() || facts_unsynced_) {
    const auto ec = options_.db->sync(); // whatever the log_syncer is at
    if (ec)
      note(ec);
    for (auto* those : {&syncing_, &written_}) {
      if (!ec)
        remember_positions(*those);
      answer(*those, ec);
    }
  }
  if (trouble_ != errc::sync_failed)
    self_->quit(why.reason);
}

// -- answers --------------------------------------------------------------------------------------

/// And forgets them.
void store_writer_state::answer(waiters& those, const std::error_code& ec) {
  for (auto& waiter : those.puts) {
    if (ec)
      waiter.promise.deliver(actors::make_error(ec));
    else
      waiter.promise.deliver(caf::ok_atom_v);
  }
  for (auto& waiter : those.appends) {
    auto failure = ec;
    if (!failure && waiter.moved)
      failure = committed(numbered_by(*waiter.what), waiter.result.position);
    if (failure)
      waiter.promise.deliver(actors::make_error(failure));
    else
      waiter.promise.deliver(waiter.result);
  }
  those = {};
}

} // namespace muster::storage
