// What the enroller and the console change: devices come, are refused, go for good.
#include "actors/server/audit.hpp"
#include "actors/server/device_removal.hpp"
#include "actors/server/directory.hpp"
#include "storage/keys.hpp"
#include "storage/records.hpp"

#include <caf/send.hpp>
#include <spdlog/spdlog.h>

#include <functional>
#include <utility>

namespace muster::actors {

namespace {

using storage::family;

caf::error in_change() {
  return make_error(errc::overloaded, "the device is being revoked or removed already");
}

} // namespace

// -- enrolment
// --------------------------------------------------------------------------------------

caf::result<caf::ok_atom> directory_state::enrol(const enrolled_device_ptr& enrolled) {
  if (devices_->find(enrolled->device) != nullptr)
    return caf::ok_atom_v; // told twice
  auto& entry = devices_->add(enrolled->device, enrolled->host_name);
  entry.certificate_sha256 = enrolled->certificate_sha256;
  entry.certificate_expires_s = enrolled->certificate_expires_s;
  entry.fingerprint = enrolled->fingerprint;
  entry.address = enrolled->address;
  entry.enrolled_ms = enrolled->enrolled_us / 1000;
  devices_->set_text(entry.agent_version, enrolled->agent_version);
  devices_->set_text(entry.token, enrolled->token_name);
  entry.group = enrolled->group; // stored by the enroller
  entry.settled = enrolled->group != 0;
  options_.loaded.machines->add(entry.fingerprint);
  const bool again = options_.loaded.machines->several(entry.fingerprint);
  auto event = std::make_shared<raised_event>();
  event->type = "device.enrolled";
  event->text = entry.name + " was enrolled" +
                (again ? "; a device of the same machine is enrolled already" : "");
  event->attributes = {{"address", enrolled->address}, {"token", enrolled->token_id}};
  event->device_name = entry.name;
  self_->send(options_.event_book, atom::raise_v, entry.device, raised_event_ptr{std::move(event)});
  if (entry.settled || !fleet_)
    return caf::ok_atom_v;
  // Before its first hello, so that it is not given one group's documents and then another's. It has
  // told us nothing yet but its name.
  auto answer = self_->make_response_promise<caf::ok_atom>();
  consider(entry, rules::moving_occasion::enrolled, claimed_facts{},
           [answer]() mutable { answer.deliver(caf::ok_atom_v); });
  return answer;
}

// -- revocation
// -------------------------------------------------------------------------------------

/// Refused from now on; for good when the store has it, with everything the record says beside.
caf::result<bool> directory_state::revoke(const device_id& device, const audit_entry_ptr& audit) {
  const auto* const entry = devices_->find(device);
  if (entry == nullptr)
    return false;
  if (entry->revoked)
    return true;
  if (!changing_.insert(device).second)
    return in_change();
  auto answer = self_->make_response_promise<bool>();
  self_
    ->request(reader_for(device), caf::infinite, atom::get_v, family::devices,
              storage::keys::device(device.bytes))
    .then([this, device, audit, answer](
            const read_result& found) { write_revocation(device, audit, found.value, answer); },
          [this, device, answer](const caf::error& why) mutable {
            give_up_change(device, answer, why);
          });
  return answer;
}

void directory_state::write_revocation(const device_id& device, const audit_entry_ptr& audit,
                                       const std::optional<std::string>& record,
                                       caf::typed_response_promise<bool> answer) {
  storage::record::device identity;
  const auto broken = record ? storage::records::decode(*record, identity) : storage::errc::corrupt;
  if (broken)
    return give_up_change(device, answer, make_error(broken));
  const auto now_us = options_.now();
  identity.set_revoked(true);
  identity.set_revoked_ms(now_us / 1000);
  identity.set_revoked_by(storage::records::clean_text(audit->actor));
  auto changes = std::make_shared<storage::change_batch>();
  changes->push_back(storage::put(family::devices, storage::keys::device(device.bytes),
                                  storage::records::encode(identity)));
  changes->push_back(audit_change(*audit, now_us));
  self_
    ->request(options_.writer, caf::infinite, atom::put_v, change_batch_ptr{std::move(changes)},
              durability::urgent)
    .then(
      [this, device, answer](caf::ok_atom) mutable {
        changing_.erase(device);
        if (auto* const entry = devices_->find(device)) {
          entry->revoked = true;
          if (const auto session = std::exchange(entry->session, nullptr))
            self_->send(session, atom::ending_v, session_end::revoked);
        }
        gone_for_good(device, "it has been revoked");
        answer.deliver(true);
      },
      [this, device, answer](const caf::error& why) mutable {
        give_up_change(device, answer, why);
      });
}

void directory_state::give_up_change(const device_id& device,
                                     caf::typed_response_promise<bool>& answer,
                                     const caf::error& why) {
  changing_.erase(device);
  answer.deliver(why);
}

// -- removal
// ----------------------------------------------------------------------------------------

caf::result<bool> directory_state::remove(const device_id& device, const audit_entry_ptr& audit) {
  if (devices_->find(device) == nullptr)
    return false;
  if (!changing_.insert(device).second)
    return in_change();
  auto changes = std::make_shared<storage::change_batch>();
  const auto now_us = options_.now();
  changes->push_back(audit_change(*audit, now_us));
  changes->push_back(storage::put(family::devices, storage::keys::removal(device.bytes), {}));
  const auto look = [device, changes](const storage::store& db) {
    return take_out(db, device, *changes);
  };
  auto answer = self_->make_response_promise<bool>();
  self_
    ->request(reader_for(device), caf::infinite, atom::read_v,
              std::make_shared<const std::function<std::error_code(const storage::store&)>>(look))
    .then([this, device, changes, answer](caf::ok_atom) { write_removal(device, changes, answer); },
          [this, device, answer](const caf::error& why) mutable {
            give_up_change(device, answer, why);
          });
  return answer;
}

void directory_state::write_removal(const device_id& device, const change_batch_ptr& changes,
                                    caf::typed_response_promise<bool> answer) {
  self_->request(options_.writer, caf::infinite, atom::put_v, changes, durability::urgent)
    .then(
      [this, device, answer](caf::ok_atom) mutable {
        on_removed(device);
        answer.deliver(true);
      },
      [this, device, answer](const caf::error& why) mutable {
        give_up_change(device, answer, why);
      });
}

void directory_state::on_removed(const device_id& device) {
  changing_.erase(device);
  gone_for_good(device, "it has been removed");
  self_->send(options_.writer, atom::remove_v, device);
  removals_.push_back({device, self_->clock().now() + fleet_limits::removal_recheck});
  auto* const entry = devices_->find(device);
  if (entry == nullptr)
    return;
  if (const auto session = std::exchange(entry->session, nullptr))
    self_->send(session, atom::ending_v, session_end::removed);
  options_.loaded.machines->remove(entry->fingerprint);
  own_.erase(device);
  devices_->erase(*entry);
}

/// A sync job or event stream of the device may have had something on its way to the store when the
/// device was removed: after a while, when all of that has ended, the store is searched once more.
void directory_state::recheck_removals() {
  const auto now = self_->clock().now();
  while (!removals_.empty() && removals_.front().due <= now &&
         removals_in_work_ < fleet_limits::removals_in_work) {
    const auto device = removals_.front().device;
    removals_.pop_front();
    ++removals_in_work_;
    recheck(device);
  }
}

void directory_state::recheck(const device_id& device) {
  auto changes = std::make_shared<storage::change_batch>();
  changes->push_back(storage::erase(family::devices, storage::keys::removal(device.bytes)));
  const auto look = [device, changes](const storage::store& db) {
    return take_out(db, device, *changes);
  };
  const auto failed = [this, device](const caf::error& why) { on_rechecked(device, why); };
  self_
    ->request(reader_for(device), caf::infinite, atom::read_v,
              std::make_shared<const std::function<std::error_code(const storage::store&)>>(look))
    .then(
      [this, device, changes, failed](caf::ok_atom) {
        self_
          ->request(options_.writer, caf::infinite, atom::put_v, change_batch_ptr{changes},
                    durability::fact)
          .then([this, device](caf::ok_atom) { on_rechecked(device, {}); }, failed);
      },
      failed);
}

void directory_state::on_rechecked(const device_id& device, const caf::error& why) {
  --removals_in_work_;
  if (why)
    removals_.push_back({device, self_->clock().now() + fleet_limits::removal_recheck});
  else
    self_->send(options_.writer, atom::remove_v, device);
}

} // namespace muster::actors
