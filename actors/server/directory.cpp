#include "actors/server/directory.hpp"

#include "actors/server/device_records.hpp"

#include <muster/assert.hpp>

#include <caf/send.hpp>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <utility>

namespace muster::actors {

directory_state::~directory_state() {
  // Killed: who waits is told so.
  const auto why = make_error(errc::stopping, "the directory has ended");
  for (auto& [device, one] : deciding_) {
    one.now.answer.deliver(why);
    for (auto& waiting : one.waiting)
      waiting.answer.deliver(why);
  }
  for (auto& one : looking_) {
    if (one->what == look_for::page)
      one->page_answer.deliver(why);
    else if (one->what == look_for::counts)
      one->counts_answer.deliver(why);
    else if (one->what == look_for::who_moves)
      one->placement_answer.deliver(why);
  }
  for (auto& [device, one] : noticing_)
    for (auto& answer : one.answers)
      answer.deliver(why);
}

directory_actor::behavior_type directory_state::make_behavior(directory_options options) {
  options_ = std::move(options);
  MUSTER_ASSERT(!options_.readers.empty() && options_.now && options_.loaded.machines &&
                  options_.loaded.documents,
                "a directory needs readers, a clock, and what load_directory made");
  devices_ = std::move(options_.loaded.devices);
  for (const auto& device : std::exchange(options_.loaded.removals, {}))
    removals_.push_back({device, self_->clock().now()});
  self_->set_exit_handler([this](const caf::exit_msg& why) { stop(why); });
  self_->delayed_send(self_, options_.trace_period, atom::tick_v);
  return {
    [this](atom::admit, const hello_facts_ptr& hello) { return admit(hello); },
    [this](atom::left, const device_id& device, const caf::actor_addr& session) {
      left(device, session);
    },
    [this](atom::contact, const device_id& device) { contact(device); },
    [this](atom::sync, const device_id& device, std::uint32_t replaced) {
      return begin_replacing(device, replaced);
    },
    [this](atom::compare, const device_id& device, const document_standing& standing) {
      return compare(device, standing);
    },
    [this](atom::fetch, const device_id& device, const document_wishes_ptr& wishes) {
      return fetch(device, *wishes);
    },
    [this](atom::publish, const fleet_snapshot_ptr& fleet) { follow(fleet); },
    [this](atom::publish, const device_id& device, const own_documents_ptr& own) {
      follow(device, own);
    },
    [this](atom::assign, const device_id& device, const assignment_order_ptr& order) {
      return assign(device, order);
    },
    [this](atom::place, const placement_order_ptr& order) { return place(order); },
    [this](atom::synced, const sync_outcome_ptr& outcome) { synced(*outcome); },
    [this](atom::failed, const device_id& device) { sync_failed(device); },
    [this](atom::probe, const device_id& device) { return test_wake(device); },
    [this](atom::call, const device_call& order) { call(order); },
    [this](atom::notice, const notice_facts& facts) { return take_notice(facts); },
    [this](atom::enrol, const enrolled_device_ptr& device) { return enrol(device); },
    [this](atom::revoke, const device_id& device, const audit_entry_ptr& audit) {
      return revoke(device, audit);
    },
    [this](atom::remove, const device_id& device, const audit_entry_ptr& audit) {
      return remove(device, audit);
    },
    [this](atom::list, const device_query_ptr& query) { return list(query); },
    [this](atom::find, const device_id& device) { return find(device); },
    [this](atom::count) { return count(); },
    [this](atom::next) { look_on(); },
    [this](atom::tick) { tick(); },
    [this](atom::status) { return status(); },
  };
}

// -- what sessions and jobs tell
// --------------------------------------------------------------------

void directory_state::contact(const device_id& device) {
  auto* const entry = devices_->find(device);
  if (entry == nullptr)
    return;
  entry->last_contact_ms = std::max(entry->last_contact_ms, options_.now() / 1000);
  entry->seen = true;
  mark_unwritten(*entry);
}

/// Between a section's change and the word of it a job, or the server, may die. The digest from
/// before would then say that the store holds what it does not, for as long as the device is the way
/// it was before; none at all only costs another transfer.
caf::result<caf::ok_atom> directory_state::begin_replacing(const device_id& device,
                                                           std::uint32_t replaced) {
  auto* const entry = devices_->find(device);
  if (entry == nullptr || entry->revoked)
    return make_error(errc::refused, "the device is no longer known");
  for (std::size_t i = 0; i < sections; ++i) {
    if (replaced >> i & 1)
      entry->digests[i] = {};
  }
  auto answer = self_->make_response_promise<caf::ok_atom>();
  self_
    ->request(options_.writer, caf::infinite, atom::put_v,
              std::make_shared<const storage::change_batch>(
                storage::change_batch{change_of(*entry)}),
              durability::fact)
    .then([answer](caf::ok_atom) mutable { answer.deliver(caf::ok_atom_v); },
          [answer](const caf::error& why) mutable { answer.deliver(why); });
  return answer;
}

/// What arrived is in the store already, so its digest may be recorded; losing the digest again
/// would only cost another transfer.
void directory_state::synced(const sync_outcome& outcome) {
  auto* const entry = devices_->find(outcome.device);
  if (entry == nullptr || entry->revoked)
    return;
  const auto at_ms = outcome.finished_us / 1000;
  entry->last_contact_ms = std::max(entry->last_contact_ms, at_ms);
  entry->last_sync_ms = std::max(entry->last_sync_ms, at_ms);
  entry->seen = true;
  entry->sync_failures = 0;
  if (outcome.failed_services)
    entry->failed_services =
      static_cast<std::uint16_t>(std::min<std::uint32_t>(*outcome.failed_services, UINT16_MAX));
  if (outcome.settings_not_applied)
    entry->settings_not_applied =
      static_cast<std::uint16_t>(std::min<std::uint32_t>(*outcome.settings_not_applied, UINT16_MAX));
  if (outcome.statistics)
    entry->statistics = *outcome.statistics;
  bool news = false;
  for (std::size_t i = 0; i < sections; ++i) {
    if (outcome.digests[i] == section_digest{})
      continue;
    entry->digests[i] = outcome.digests[i];
    news = true;
  }
  if (outcome.host_name) {
    if (!outcome.host_name->empty())
      devices_->rename(*entry, *outcome.host_name);
    devices_->set_text(entry->os_id, outcome.os_id);
    devices_->set_text(entry->os_name, outcome.os_name);
    devices_->set_text(entry->os_version, outcome.os_version);
  }
  consider_facts(*entry, outcome);
  if (outcome.host_name && !moving_.contains(outcome.device))
    tell_documents(*entry); // its OS may be another; else when it is where it shall be
  served(outcome.device, outcome.calls_before);
  if (!news)
    return mark_unwritten(*entry);
  entry->last_information_ms = std::max(entry->last_information_ms, at_ms);
  const auto device = outcome.device;
  self_
    ->request(options_.writer, caf::infinite, atom::put_v,
              std::make_shared<const storage::change_batch>(
                storage::change_batch{change_of(*entry)}),
              durability::fact)
    .then([](caf::ok_atom) {},
          [this, device](const caf::error&) {
            if (auto* const again = devices_->find(device))
              mark_unwritten(*again);
          });
}

// -- the trace class
// --------------------------------------------------------------------------------

void directory_state::mark_unwritten(device_entry& entry) {
  if (entry.unwritten)
    return;
  entry.unwritten = true;
  unwritten_.push_back(entry.device);
}

void directory_state::tick() {
  self_->delayed_send(self_, options_.trace_period, atom::tick_v);
  recheck_removals();
  give_up_answers();
  if (writing_traces_)
    return;
  unwritten_in_round_ = unwritten_.size();
  write_traces();
}

/// Between the writing of a hello or a notice and its answer the entry is as it was; what is written
/// meanwhile must not take it back.
storage::change directory_state::change_of(const device_entry& entry) const {
  if (const auto found = noticing_.find(entry.device);
      found != noticing_.end() && found->second.writing)
    return report_change(*devices_, entry, found->second.written);
  if (const auto found = deciding_.find(entry.device);
      found != deciding_.end() && found->second.report)
    return report_change(*devices_, entry, *found->second.report);
  return report_change(*devices_, entry);
}

/// The reports of the next slice of devices.
change_batch_ptr directory_state::next_traces(std::vector<device_id>& of) {
  auto out = std::make_shared<storage::change_batch>();
  const auto slice = std::min(unwritten_in_round_, fleet_limits::trace_slice);
  unwritten_in_round_ -= slice;
  for (std::size_t i = 0; i < slice; ++i) {
    const auto device = unwritten_.front();
    unwritten_.pop_front();
    auto* const entry = devices_->find(device);
    if (entry == nullptr)
      continue;
    entry->unwritten = false;
    of.push_back(device);
    out->push_back(change_of(*entry));
  }
  return out;
}

void directory_state::write_traces() {
  writing_traces_ = unwritten_in_round_ > 0;
  if (!writing_traces_)
    return;
  auto of = std::make_shared<std::vector<device_id>>();
  const auto changes = next_traces(*of);
  self_->request(options_.writer, caf::infinite, atom::put_v, changes, durability::fact)
    .then([this](caf::ok_atom) { write_traces(); },
          [this, of](const caf::error&) { // the writer has said it loudly
            writing_traces_ = false;
            for (const auto& device : *of)
              if (auto* const entry = devices_->find(device))
                mark_unwritten(*entry);
          });
}

void directory_state::stop(const caf::exit_msg& why) {
  unwritten_in_round_ = std::min(unwritten_.size(), fleet_limits::trace_last_words);
  while (unwritten_in_round_ > 0) {
    std::vector<device_id> of;
    caf::anon_send(options_.writer, atom::put_v, next_traces(of), durability::fact);
  }
  self_->quit(why.reason);
}

// -- how it is doing
// --------------------------------------------------------------------------------

const store_reader_actor& directory_state::reader_for(const device_id& device) const {
  return options_.readers[device.bytes[15] % options_.readers.size()];
}

std::string directory_state::status() const {
  return std::to_string(devices_->size()) + " devices, " + std::to_string(deciding_.size()) +
         " admissions and " + std::to_string(looking_.size()) + " lists in work, " +
         std::to_string(unwritten_.size()) + " reports to write, " +
         std::to_string(removals_.size()) + " removals to check, " +
         std::to_string(watches_.size()) + " calls open, " + std::to_string(waking_.size()) +
         " devices being waked, " + std::to_string(moving_.size()) + " being moved";
}

directory_actor::behavior_type directory(directory_actor::stateful_pointer<directory_state> self,
                                         directory_options options) {
  return self->state.make_behavior(std::move(options));
}

} // namespace muster::actors
