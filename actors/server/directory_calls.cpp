// What administrators want of devices: over the session, by a wake, or at the next connection.
#include "actors/server/directory.hpp"

#include <caf/send.hpp>

#include <algorithm>
#include <utility>

namespace muster::actors {

namespace {

bool is_keep(const call_watch& watch) {
  return watch.order.kind == call_kind::keep_on || watch.order.kind == call_kind::keep_off;
}

wake_purpose purpose_of(call_kind kind) {
  return kind == call_kind::sync ? wake_purpose::sync : wake_purpose::control;
}

std::string no_answer_to(std::uint32_t wakes) {
  return "no answer to " + std::to_string(wakes) + (wakes == 1 ? " wake" : " wakes");
}

/// Behind a clause that says why a device does not answer.
std::string with_off(std::string text, off_reason why) {
  switch (why) {
  case off_reason::none:
    return text;
  case off_reason::shutdown:
    return text + "; it has shut down";
  case off_reason::restart:
    return text + "; it said that it restarts";
  case off_reason::suspend:
    return text + "; it is suspended";
  case off_reason::agent_stop:
    return text + "; its agent has been stopped";
  }
  return text;
}

} // namespace

// -- a call -----------------------------------------------------------------------------------------

void directory_state::call(const device_call& order) {
  ++figures_.calls;
  call_watch watch;
  watch.number = ++calls_made_;
  watch.order = order;
  auto* const entry = devices_->find(order.device);
  if (entry == nullptr || entry->revoked) {
    tell(watch, call_step::failed, entry == nullptr ? "no such device" : "it has been revoked");
    ++figures_.calls_failed;
    return;
  }
  constexpr auto dropped = "too many calls wait; this one was the oldest";
  if (const auto others = watches_.of(order.device);
      others.size() >= fleet_limits::calls_per_device_max)
    settle(*others.front(), call_step::failed, dropped);
  if (watches_.size() >= fleet_limits::calls_max)
    settle(watches_.oldest(), call_step::failed, dropped);
  auto& kept = watches_.add(std::move(watch));
  if (!is_keep(kept))
    return reach(*entry, kept);
  kept.phase = call_phase::storing;
  keeps_.push_back({order.device, kept.number, order.kind == call_kind::keep_on});
  store_keeps();
}

/// By the best way there is at the moment.
void directory_state::reach(const device_entry& entry, call_watch& watch) {
  if (entry.session) {
    watch.way = call_way::kept;
    if (watch.order.kind != call_kind::sync)
      return settle(watch, call_step::done);
    self_->send(entry.session, atom::sync_v, watch.number);
    return asked(watch);
  }
  if (watch.order.kind == call_kind::keep_off)
    return settle(watch, call_step::done);
  if (deciding_.contains(entry.device)) {
    watch.phase = call_phase::coming;
    return;
  }
  if (!can_wake(entry))
    return queue(entry, watch, with_off("it listens for no wakes", entry.off));
  begin_waking(entry, watch);
}

bool directory_state::can_wake(const device_entry& entry) const {
  return options_.waker && entry.wake_port != 0 && !entry.address.empty();
}

void directory_state::begin_waking(const device_entry& entry, call_watch& watch) {
  watch.phase = call_phase::waking;
  watch.way = call_way::wake;
  tell(watch, call_step::waking);
  wake(entry, purpose_of(watch.order.kind));
}

void directory_state::asked(call_watch& watch) {
  watch.phase = call_phase::asked;
  watch.due = self_->clock().now() + fleet_limits::call_answer_max;
  asked_.push_back({watch.due, watch.order.device, watch.number});
  tell(watch, call_step::asked);
}

void directory_state::queue(const device_entry& entry, call_watch& watch, const std::string& text) {
  watch.phase = call_phase::queued;
  watch.way = call_way::next_contact;
  const auto next_us = entry.last_contact_ms * 1000 + period_of(entry).count();
  const bool expected = entry.off == off_reason::none && entry.last_contact_ms != 0;
  tell(watch, call_step::queued, text, expected && next_us > options_.now() ? next_us : 0);
}

void directory_state::settle(call_watch& watch, call_step end, const std::string& text) {
  ++(end == call_step::done ? figures_.calls_done : figures_.calls_failed);
  tell(watch, end, text);
  watches_.erase(watch);
}

void directory_state::tell(const call_watch& watch, call_step step, const std::string& text,
                           std::int64_t until_us) {
  self_->send(watch.order.watcher, atom::progress_v,
              call_progress{watch.order.call, watch.order.device, step, watch.way, options_.now(),
                            until_us, text});
}

// -- wakes ------------------------------------------------------------------------------------------

/// One order per device at a time, and a bounded number of all; the others wait in line.
void directory_state::wake(const device_entry& entry, wake_purpose purpose) {
  if (!waking_.emplace(entry.device, 0).second)
    return;
  to_wake_.push_back({entry.device, purpose});
  send_wakes();
}

/// The device is here, so a wake that is still on its way to it has done its work; it gets a fresh
/// one, for of the old one's datagrams it would take no notice. Answered when that ends: soon where
/// none could be sent.
caf::result<wake_result> directory_state::test_wake(const device_id& device) {
  const auto* const entry = devices_->find(device);
  if (entry == nullptr || !options_.waker)
    return wake_result{false, 0, "this server sends no wakes"};
  if (entry->wake_port == 0 || entry->address.empty())
    return wake_result{false, 0, "the server was not told where this device listens"};
  if (waking_.erase(device) > 0)
    self_->send(options_.waker, atom::contact_v, device);
  if (wakes_in_flight_ >= fleet_limits::wakes_max)
    return wake_result{false, 0, "too many devices are being woken; try again later"};
  const auto number = waking_[device] = ++wakes_ordered_;
  ++wakes_in_flight_;
  auto promise = self_->make_response_promise<wake_result>();
  auto end = [this, device, number, promise](const wake_result& result) mutable {
    on_woken(device, number, result);
    promise.deliver(result);
  };
  self_
    ->request(options_.waker, caf::infinite, atom::wake_v,
              wake_order{device, entry->address, entry->wake_port, wake_purpose::control})
    .then([end](const wake_result& result) mutable { end(result); },
          [end](const caf::error& why) mutable {
            end({false, 0, "it could not be waked: " + text_of(why)});
          });
  return promise;
}

void directory_state::send_wakes() {
  while (!to_wake_.empty() && wakes_in_flight_ < fleet_limits::wakes_max) {
    const auto next = to_wake_.front();
    to_wake_.pop_front();
    const auto& device = next.device;
    const auto waking = waking_.find(device);
    if (waking == waking_.end() || waking->second != 0)
      continue; // came by itself while it waited
    const auto* const entry = devices_->find(device);
    if (entry == nullptr) {
      waking_.erase(waking);
      continue;
    }
    const auto number = waking->second = ++wakes_ordered_;
    ++wakes_in_flight_;
    self_
      ->request(options_.waker, caf::infinite, atom::wake_v,
                wake_order{device, entry->address, entry->wake_port, next.purpose})
      .then([this, device, number](
              const wake_result& result) { on_woken(device, number, result); },
            [this, device, number](const caf::error& why) {
              on_woken(device, number, {false, 0, "it could not be waked: " + text_of(why)});
            });
  }
}

void directory_state::on_woken(const device_id& device, std::uint64_t number,
                               const wake_result& result) {
  --wakes_in_flight_;
  const auto waking = waking_.find(device);
  if (waking != waking_.end() && waking->second == number) {
    waking_.erase(waking);
    const auto* const entry = devices_->find(device);
    for (auto* const watch : watches_.of(device)) {
      if (watch->phase == call_phase::waking && entry != nullptr)
        queue(*entry, *watch,
              with_off(result.sent == 0 ? result.text : no_answer_to(result.sent), entry->off));
    }
  }
  send_wakes();
}

// -- what becomes of the device ---------------------------------------------------------------------

/// Let in, its session is there. A sync of its hello serves the calls that were made before it said
/// hello; for later ones it has to sync once more.
void directory_state::arrived(const device_entry& entry, std::uint64_t calls_before) {
  if (waking_.erase(entry.device) > 0)
    self_->send(options_.waker, atom::contact_v, entry.device);
  for (auto* const watch : watches_.of(entry.device)) {
    if (watch->phase == call_phase::storing)
      continue; // told when it is stored
    if (watch->phase == call_phase::coming)
      watch->way = call_way::kept;
    if (watch->order.kind != call_kind::sync)
      settle(*watch, call_step::done);
    else if (watch->number <= calls_before)
      asked(*watch);
    else
      reach(entry, *watch);
  }
}

/// Its admission is over, and it may not be here.
void directory_state::came_to_nothing(const device_id& device) {
  const auto* const entry = devices_->find(device);
  for (auto* const watch : watches_.of(device)) {
    if (watch->phase == call_phase::coming && entry != nullptr)
      reach(*entry, *watch);
  }
}

/// The session that was asked has gone. It may just have been about to, with nothing more to say, so a
/// device that was not woken for this call is now.
void directory_state::departed(const device_entry& entry) {
  const bool coming = deciding_.contains(entry.device);
  const bool wakeable = can_wake(entry) && entry.off == off_reason::none && !entry.revoked;
  for (auto* const watch : watches_.of(entry.device)) {
    if (watch->phase != call_phase::asked)
      continue;
    if (coming)
      watch->phase = call_phase::coming;
    else if (wakeable && watch->way == call_way::kept)
      begin_waking(entry, *watch);
    else
      queue(entry, *watch, "its connection ended before it had synced");
  }
}

void directory_state::served(const device_id& device, std::uint64_t calls_before) {
  for (auto* const watch : watches_.of(device)) {
    if (watch->order.kind == call_kind::sync && watch->number <= calls_before)
      settle(*watch, call_step::done);
  }
}

void directory_state::sync_failed(const device_id& device) {
  auto* const entry = devices_->find(device);
  if (entry == nullptr)
    return;
  if (entry->sync_failures < UINT8_MAX)
    ++entry->sync_failures;
  mark_unwritten(*entry);
  for (auto* const watch : watches_.of(device)) {
    if (watch->phase == call_phase::asked)
      queue(*entry, *watch, "a sync of it has failed");
  }
}

void directory_state::gone_for_good(const device_id& device, const std::string& why) {
  waking_.erase(device);
  for (auto* const watch : watches_.of(device))
    settle(*watch, call_step::failed, why);
}

/// Still waited for: a sync that is under way, or the next one, makes it done.
void directory_state::give_up_answers() {
  const auto now = self_->clock().now();
  while (!asked_.empty() && asked_.front().due <= now) {
    const auto one = asked_.front();
    asked_.pop_front();
    auto* const watch = watches_.find(one.device, one.number);
    const auto* const entry = devices_->find(one.device);
    if (watch != nullptr && entry != nullptr && watch->phase == call_phase::asked &&
        watch->due <= now)
      queue(*entry, *watch, "it is connected, and has not synced for a minute");
  }
}

// -- kept connections -------------------------------------------------------------------------------

/// What has been asked while the batch before was on its way to the disk makes the next one. At most
/// one change of a device in a batch, so that the last word is the last one.
void directory_state::store_keeps() {
  if (!storing_keeps_.empty())
    return;
  auto changes = std::make_shared<storage::change_batch>();
  for (; !keeps_.empty() && storing_keeps_.size() < fleet_limits::keeps_per_batch;
       keeps_.pop_front()) {
    const auto& one = keeps_.front();
    auto* const entry = devices_->find(one.device);
    if (entry == nullptr || watches_.find(one.device, one.number) == nullptr)
      continue; // removed, or dropped: its watcher knows
    if (std::any_of(storing_keeps_.begin(), storing_keeps_.end(),
                    [&](const auto& other) { return other.device == one.device; }))
      break;
    entry->keep_to_store = one.on;
    changes->push_back(change_of(*entry));
    storing_keeps_.push_back(one);
  }
  if (storing_keeps_.empty())
    return;
  self_
    ->request(options_.writer, caf::infinite, atom::put_v, change_batch_ptr{std::move(changes)},
              durability::command)
    .then([this](caf::ok_atom) { on_keeps_stored(); },
          [this](const caf::error& why) { on_keeps_refused(why); });
}

void directory_state::on_keeps_stored() {
  for (const auto& one : std::exchange(storing_keeps_, {})) {
    auto* const entry = devices_->find(one.device);
    if (entry == nullptr)
      continue;
    entry->keep = one.on;
    if (entry->session)
      self_->send(entry->session, atom::keep_v, one.on);
    if (auto* const watch = watches_.find(one.device, one.number))
      reach(*entry, *watch);
  }
  store_keeps();
}

void directory_state::on_keeps_refused(const caf::error& why) {
  for (const auto& one : std::exchange(storing_keeps_, {})) {
    if (auto* const entry = devices_->find(one.device)) {
      entry->keep_to_store = entry->keep;
      mark_unwritten(*entry);
    }
    if (auto* const watch = watches_.find(one.device, one.number))
      settle(*watch, call_step::failed, "it could not be stored: " + text_of(why));
  }
  store_keeps();
}

} // namespace muster::actors
