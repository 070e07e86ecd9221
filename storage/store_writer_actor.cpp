#include "storage/store_writer_actor.hpp"

#include "storage/event_blocks_actor.hpp"
#include "storage/keys.hpp"
#include "storage/log_syncer_actor.hpp"
#include "storage/records.hpp"

#include <muster/assert.hpp>

#include <spdlog/fmt/fmt.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <memory>
#include <span>
#include <utility>

namespace muster::storage {

using actors::append_result;
using actors::device_id;
using actors::durability;
using actors::event_append;
using actors::event_append_ptr;
using actors::event_position;

namespace {

std::size_t bytes_of(std::span<const change> changes) {
  std::size_t out = 0;
  for (const auto& one : changes)
    out += one.key.size() + one.value.size();
  return out;
}

} // namespace

store_writer_state::~store_writer_state() {
  // Killed: what waits is not committed, and is told so.
  const auto why = actors::make_error(actors::errc::stopping, "the store's writer was killed");
  for (auto* those : {&syncing_, &written_, &gathered_}) {
    for (auto& waiter : those->puts)
      waiter.promise.deliver(why);
    for (auto& waiter : those->appends)
      waiter.promise.deliver(why);
  }
}

actors::store_writer_actor::behavior_type
store_writer_state::make_behavior(store_writer_options options) {
  options_ = std::move(options);
  MUSTER_ASSERT(options_.db != nullptr && options_.clock, "a writer needs a store and a clock");
  positions_ = generation_cache<device_id, event_position>(options_.positions_max);
  self_->set_exit_handler([this](const caf::exit_msg& why) { stop(why); });
  if (options_.syncs == sync_by::thread)
    syncer_ = self_->spawn<caf::detached + caf::linked>(log_syncer, options_.db);
  else if (options_.syncs == sync_by::actor)
    syncer_ = self_->spawn<caf::linked>(log_syncer, options_.db);
  if (const auto ec = last_received(last_received_us_))
    self_->quit(actors::make_error(ec));
  return {
    [this](atom::put, const actors::change_batch_ptr& changes, durability how) {
      return put(changes, how);
    },
    [this](atom::append, const event_append_ptr& what) { return append(what); },
    [this](atom::position, const device_id& device) { return position(device); },
    [this](atom::remove, const device_id& device) { remove(device); },
    [this](atom::watch, const actors::disk_watcher_actor& watcher) { watch(watcher); },
    [this](atom::commit) {
      commit_on_its_way_ = false;
      // While the disk is busy, little waits for company: its end commits what is there.
      const bool is_much = batch_.size() + entries_.size() >= limits::overlapping_changes ||
                           batch_bytes_ >= limits::overlapping_bytes;
      if (!sync_on_its_way_ || is_much)
        commit();
    },
    [this](atom::tick) { tick(); },
    [this](atom::metrics) { return metrics(); },
    [this](atom::status) { return status(); },
  };
}

// -- requests -------------------------------------------------------------------------------------

caf::result<caf::ok_atom> store_writer_state::put(const actors::change_batch_ptr& changes,
                                                  durability how) {
  add_entries(); // of the appends before it: whatever this one erases is to stay erased
  put_waiter waiter;
  waiter.promise = self_->make_response_promise<caf::ok_atom>();
  waiter.first = batch_.size();
  for (const auto& one : *changes)
    add(one);
  waiter.last = batch_.size();
  waiter.needs_sync = how != durability::fact;
  waiter.may_use_last_room = how == durability::urgent || only_erases(*changes);
  auto promise = waiter.promise;
  gathered_.puts.push_back(std::move(waiter));
  schedule();
  return promise;
}

caf::result<append_result> store_writer_state::append(const event_append_ptr& what) {
  if (what->encoded.empty()) { // not prepared, or unfit
    if (auto why = unfit(*what))
      return std::move(*why);
    const auto ready = std::make_shared<event_append>(*what);
    prepare(*ready);
    return append(ready);
  }
  append_waiter waiter;
  waiter.what = what;
  const auto& device = numbered_by(*what);
  const auto* const pending = on_its_way(device);
  event_position current;
  if (pending != nullptr)
    current = *pending;
  else if (const auto ec = committed(device, current))
    return actors::make_error(ec);
  waiter.moved = current != what->after;
  if (waiter.moved) {
    ++totals_.moved;
    if (pending == nullptr)
      return append_result{false, current, 0};
  } else {
    last_received_us_ = std::max(last_received_us_ + 1, options_.clock());
    add(*what, last_received_us_);
    waiter.result = {true, position_behind(*what), last_received_us_};
  }
  waiter.promise = self_->make_response_promise<append_result>();
  auto promise = waiter.promise;
  gathered_.appends.push_back(std::move(waiter));
  schedule();
  return promise;
}

caf::result<event_position> store_writer_state::position(const device_id& device) {
  event_position out;
  if (const auto ec = committed(device, out))
    return actors::make_error(ec);
  return out;
}

void store_writer_state::remove(const device_id& device) {
  positions_.erase(device);
  gathered_positions_.erase(device);
  written_positions_.erase(device);
}

void store_writer_state::watch(const actors::disk_watcher_actor& watcher) {
  watcher_ = watcher;
  if (trouble_)
    self_->send(watcher_, atom::failed_v, trouble_);
}

// -- the batch ------------------------------------------------------------------------------------

const event_position* store_writer_state::on_its_way(const device_id& device) const {
  for (const auto* those : {&gathered_positions_, &written_positions_})
    if (const auto found = those->find(device); found != those->end())
      return &found->second;
  return nullptr;
}

std::error_code store_writer_state::committed(const device_id& device, event_position& out) {
  if (const auto known = positions_.find(device)) {
    out = *known;
    return {};
  }
  std::error_code ec;
  const auto value = options_.db->get(family::devices, keys::position(device.bytes), ec);
  record::position stored;
  if (!ec && value)
    ec = records::decode(*value, stored);
  if (ec)
    return ec;
  out = {stored.epoch(), stored.sequence()};
  positions_.put(device, out);
  return {};
}

void store_writer_state::add(const event_append& what, std::int64_t received_us) {
  const auto blocks = batch_.size();
  append_blocks(what, received_us, batch_);
  batch_bytes_ += bytes_of(std::span(batch_).subspan(blocks));
  const auto entries = entries_.size();
  append_entries(what, received_us, entries_);
  batch_bytes_ += bytes_of(std::span(entries_).subspan(entries));
  entries_of_.push_back({numbered_by(what), entries, entries_.size()});
  gathered_positions_[numbered_by(what)] = position_behind(what);
  totals_.events += what.events.size();
}

void store_writer_state::add(change what) {
  batch_bytes_ += what.key.size() + what.value.size();
  batch_.push_back(std::move(what));
}

void store_writer_state::add_entries() {
  const auto by_device = [](const entry_run& a, const entry_run& b) { return a.device < b.device; };
  std::stable_sort(entries_of_.begin(), entries_of_.end(), by_device);
  for (const auto& run : entries_of_)
    for (auto at = run.begin; at < run.end; ++at)
      batch_.push_back(std::move(entries_[at]));
  entries_.clear();
  entries_of_.clear();
}

void store_writer_state::schedule() {
  if (batch_bytes_ >= options_.batch_bytes_max) {
    commit();
  } else if (!commit_on_its_way_) {
    commit_on_its_way_ = true;
    self_->send(self_, atom::commit_v);
  }
}

/// Says loudly what changed between the disk and us; ends when the disk can no longer be trusted.
void store_writer_state::note(const std::error_code& ec) {
  const auto before = std::exchange(trouble_, ec);
  if (before == ec)
    return;
  if (watcher_)
    self_->send(watcher_, atom::failed_v, ec);
  if (!ec) {
    spdlog::warn("store: writing works again");
    return;
  }
  if (ec == errc::sync_failed) {
    spdlog::critical("store: {}; only a new start can find out what it holds", ec.message());
    self_->quit(actors::make_error(ec));
    return;
  }
  spdlog::error("store: {} ({} MB free); nothing is acknowledged until that is over", ec.message(),
                options_.db->measure().free_bytes / (1024 * 1024));
}

/// The youngest receive time in the store: the clock may have gone back while we were away.
std::error_code store_writer_state::last_received(std::int64_t& out) const {
  for (std::uint8_t severity = 1; severity <= 4; ++severity) {
    const auto ec =
      options_.db->scan(family::events, keys::events(severity), true, [&](auto key, auto) {
        const auto parsed = keys::parse_event(key);
        if (parsed)
          out = std::max(out, parsed->received_us);
        return !parsed;
      });
    if (ec)
      return ec;
  }
  return {};
}

// -- how it is doing
// --------------------------------------------------------------------------------

actors::metrics_text store_writer_state::metrics() const {
  std::string out;
  const auto line = [&](const char* what, const char* type, const auto& value) {
    out += fmt::format("# TYPE muster_store_{} {}\nmuster_store_{} {}\n", what, type, what, value);
  };
  const auto free = options_.db->measure();
  line("commits_total", "counter", totals_.commits);
  line("syncs_total", "counter", totals_.syncs);
  line("failed_commits_total", "counter", totals_.failed_commits);
  line("last_room_commits_total", "counter", totals_.last_room_commits);
  line("commit_seconds_total", "counter", static_cast<double>(totals_.commit_ns) / 1e9);
  line("changes_total", "counter", totals_.changes);
  line("written_bytes_total", "counter", totals_.bytes);
  line("events_total", "counter", totals_.events);
  line("appends_moved_total", "counter", totals_.moved);
  line("disk_full", "gauge", trouble_ == errc::disk_full ? 1 : 0);
  line("free_bytes", "gauge", free.free_bytes);
  line("used_bytes", "gauge", free.used_bytes);
  return std::make_shared<const std::string>(std::move(out));
}

std::string store_writer_state::status() const {
  return fmt::format("{}, {} commits, {} failed, {} changes, {} events, {} positions known",
                     trouble_ ? trouble_.message() : "well", totals_.commits,
                     totals_.failed_commits, totals_.changes, totals_.events, positions_.size());
}

actors::store_writer_actor::behavior_type
store_writer(actors::store_writer_actor::stateful_pointer<store_writer_state> self,
             store_writer_options options) {
  return self->state.make_behavior(std::move(options));
}

} // namespace muster::storage
