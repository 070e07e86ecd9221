// Who may come in: one decision per device at a time.
#include "actors/server/device_records.hpp"
#include "actors/server/directory.hpp"

#include <caf/send.hpp>

#include <algorithm>
#include <utility>

namespace muster::actors {

using rules::admission_step;

namespace {

rules::admission_record record_of(const device_entry* entry, bool changing) {
  rules::admission_record out;
  if (entry == nullptr)
    return out;
  out.known = true;
  out.revoked = entry->revoked || changing;
  out.certificate_sha256 = entry->certificate_sha256;
  out.certificate_expires_s = entry->certificate_expires_s;
  out.fingerprint = entry->fingerprint;
  out.boot = entry->boot;
  out.boot_before = entry->boot_before;
  out.boot_returned = entry->boot_returned;
  out.counter = entry->counter;
  out.hello_counter = entry->counter - entry->notice_ahead;
  out.has_session = entry->session != nullptr;
  return out;
}

refusal refusal_of(admission_step why) {
  switch (why) {
  case admission_step::refuse_revoked:
    return refusal::revoked;
  case admission_step::refuse_expired:
    return refusal::expired;
  case admission_step::refuse_clone:
  case admission_step::refuse_turns:
  case admission_step::ask_old_session:
    return refusal::identity_in_use;
  case admission_step::refuse_unknown:
  case admission_step::admit:
  case admission_step::take_over:
    break;
  }
  return refusal::unknown_device;
}

hello_report report_of(const hello_facts& hello, const device_entry& entry, bool went_back,
                       bool late, std::int64_t now_us) {
  return {hello.boot,       rules::history_after(record_of(&entry, false), hello.boot),
          hello.counter,    entry.went_back + (went_back ? 1 : 0),
          hello.address,    hello.agent_version,
          hello.statistics, now_us / 1000,
          hello.sync_period_s, hello.wake_port,
          late};
}

} // namespace

caf::result<admission_ptr> directory_state::admit(const hello_facts_ptr& hello) {
  const auto device = hello->device;
  const auto busy = [](const char* why) { return make_error(errc::overloaded, why); };
  if (const auto found = deciding_.find(device); found != deciding_.end()) {
    if (found->second.waiting.size() >= fleet_limits::admissions_waiting_max)
      return busy("too many connections claim this device at once");
    auto answer = self_->make_response_promise<admission_ptr>();
    found->second.waiting.push_back({hello, answer, calls_made_});
    return answer;
  }
  if (deciding_.size() >= fleet_limits::admissions_max)
    return busy("too many devices come at once");
  auto answer = self_->make_response_promise<admission_ptr>();
  deciding_[device].now = {hello, answer, calls_made_};
  decide(device);
  return answer;
}

void directory_state::decide(const device_id& device) {
  if (const auto found = noticing_.find(device);
      found != noticing_.end() && found->second.writing)
    return; // until that is answered
  auto& one = deciding_.at(device);
  const auto& hello = *one.now.hello;
  auto* const entry = devices_->find(device);
  const auto decision = rules::decide_admission(
    record_of(entry, changing_.contains(device)),
    {hello.certificate_sha256, hello.fingerprint, hello.boot, hello.counter},
    options_.now() / 1'000'000);
  one.went_back = decision.went_back;
  one.late = decision.late;
  switch (decision.step) {
  case admission_step::admit:
    return let_in(device);
  case admission_step::take_over:
    replace_session(*entry);
    return let_in(device);
  case admission_step::ask_old_session:
    return ask_old_session(device);
  case admission_step::refuse_unknown:
  case admission_step::refuse_revoked:
  case admission_step::refuse_expired:
  case admission_step::refuse_clone:
  case admission_step::refuse_turns:
    return refuse(device, decision.step);
  }
}

void directory_state::ask_old_session(const device_id& device) {
  if (++questions_ == 0)
    ++questions_; // zero is no question
  const auto question = questions_;
  deciding_.at(device).question = question;
  self_->request(devices_->find(device)->session, caf::infinite, atom::probe_v)
    .then([this, device, question](bool alive) { on_old_session(device, question, alive); },
          // Ended before it was asked: as silent as can be.
          [this, device, question](const caf::error&) { on_old_session(device, question, false); });
}

/// Asked once: whatever has happened meanwhile, the newcomer now comes in or is refused. (Who left
/// while it was asked has answered; what it says after that belongs to no question.)
void directory_state::on_old_session(const device_id& device, std::uint32_t question, bool alive) {
  const auto found = deciding_.find(device);
  if (found == deciding_.end() || found->second.question != question)
    return;
  found->second.question = 0;
  auto* const entry = devices_->find(device);
  if (entry == nullptr)
    return refuse(device, admission_step::refuse_unknown);
  if (entry->revoked || changing_.contains(device))
    return refuse(device, admission_step::refuse_revoked);
  if (alive)
    return refuse(device, admission_step::ask_old_session);
  replace_session(*entry);
  let_in(device);
}

/// The counter is recorded before the welcome: a server that is killed in between must not take
/// the same hello for new again.
void directory_state::let_in(const device_id& device) {
  auto& one = deciding_.at(device);
  const auto& entry = *devices_->find(device);
  one.report = report_of(*one.now.hello, entry, one.went_back, one.late, options_.now());
  self_
    ->request(options_.writer, caf::infinite, atom::put_v,
              std::make_shared<const storage::change_batch>(
                storage::change_batch{change_of(entry)}),
              durability::fact)
    .then([this, device](caf::ok_atom) { on_recorded(device); },
          [this, device](const caf::error& why) { fail(device, why); });
}

void directory_state::on_recorded(const device_id& device) {
  auto& one = deciding_.at(device);
  const auto& hello = *one.now.hello;
  auto* const entry = devices_->find(device);
  if (entry == nullptr)
    return refuse(device, admission_step::refuse_unknown);
  const auto before = entry->counter;
  const auto from = entry->address;
  apply(*std::exchange(one.report, {}), *devices_, *entry);
  heard_wake(hello.wake_counter);
  if (entry->revoked || changing_.contains(device))
    return refuse(device, admission_step::refuse_revoked);
  if (!one.gone)
    entry->session = hello.session;
  if (one.went_back)
    complain(*entry, hello, severity::warning, "device.went_back",
             entry->name + " went back: it knows less than it did (counter " +
               std::to_string(hello.counter) + " after " + std::to_string(before) +
               "); was it restored from a backup or a snapshot?");
  auto out = std::make_shared<admission>();
  out->went_back = one.went_back;
  out->known = entry->digests;
  out->device_name = entry->name;
  out->keep = entry->keep;
  out->calls_before = one.now.calls_before;
  out->manifest = manifest_for(*entry, hello.documents);
  const bool there = !one.gone;
  const auto calls_before = one.now.calls_before;
  one.now.answer.deliver(admission_ptr{std::move(out)});
  if (there)
    arrived(*entry, calls_before); // behind the answer: its session is active when it hears of it
  if (entry->settled && entry->address != from)
    consider(*entry, rules::moving_occasion::changed, {});
  next_newcomer(device);
}

/// A restored server learns here which counters it had used. Nobody can push it far: no counter is
/// much ahead of the clock.
void directory_state::heard_wake(std::uint64_t counter) {
  const auto plausible =
    static_cast<std::uint64_t>(options_.now() + fleet_limits::wake_counter_ahead.count());
  if (!options_.waker || counter <= wake_heard_ || counter > plausible)
    return;
  wake_heard_ = counter;
  self_->send(options_.waker, atom::heard_v, counter);
}

// -- refusing
// ---------------------------------------------------------------------------------------

void directory_state::refuse(const device_id& device, admission_step why) {
  const auto& hello = *deciding_.at(device).now.hello;
  if (const auto* const entry = devices_->find(device)) {
    if (why == admission_step::refuse_clone)
      complain(*entry, hello, severity::critical, "device.clone_refused",
               "another machine shows the certificate of " + entry->name +
                 "; it was refused: somebody has copied its agent's data");
    else if (why == admission_step::ask_old_session)
      complain(*entry, hello, severity::critical, "device.identity_in_use",
               "a second machine claims to be " + entry->name +
                 " while that is connected; it was refused");
    else if (why == admission_step::refuse_turns)
      complain(*entry, hello, severity::critical, "device.identity_in_use",
               "two machines take turns as " + entry->name +
                 ", one is a copy of the other; the second was refused");
    else if (why == admission_step::refuse_expired)
      complain(*entry, hello, severity::warning, "device.certificate_expired",
               entry->name + " was refused: its certificate has expired");
  }
  auto out = std::make_shared<admission>();
  out->reason = refusal_of(why);
  out->text = rules::explain(why);
  finish(device, std::move(out));
}

void directory_state::complain(const device_entry& entry, const hello_facts& hello, severity how,
                               const std::string& type, std::string text) {
  const auto now = self_->clock().now();
  const auto key = entry.device.raw() + type;
  const auto last = complaints_.find(key);
  if (last && now - *last < fleet_limits::complaint_interval)
    return;
  complaints_.put(key, now);
  auto event = std::make_shared<raised_event>();
  event->severity = how;
  event->type = type;
  event->text = std::move(text);
  event->attributes = {{"address", hello.address}};
  event->device_name = entry.name;
  self_->send(options_.event_book, atom::raise_v, entry.device, raised_event_ptr{std::move(event)});
}

// -- ends
// -------------------------------------------------------------------------------------------

void directory_state::finish(const device_id& device, admission_ptr answer) {
  deciding_.at(device).now.answer.deliver(std::move(answer));
  next_newcomer(device);
}

void directory_state::fail(const device_id& device, const caf::error& why) {
  deciding_.at(device).now.answer.deliver(why);
  next_newcomer(device);
}

/// At most admissions_waiting_max deep, even if each is decided at once.
void directory_state::next_newcomer(const device_id& device) {
  auto& one = deciding_.at(device);
  if (one.waiting.empty()) {
    deciding_.erase(device);
    if (noticing_.contains(device)) {
      notices_.push_back(device);
      write_notices();
    }
    return came_to_nothing(device);
  }
  one.now = std::move(one.waiting.front());
  one.waiting.pop_front();
  one.gone = false;
  one.went_back = false;
  one.late = false;
  one.report.reset();
  one.question = 0;
  decide(device);
}

void directory_state::replace_session(device_entry& entry) {
  if (auto old = std::exchange(entry.session, nullptr))
    self_->send(old, atom::ending_v, session_end::replaced);
}

void directory_state::left(const device_id& device, const caf::actor_addr& session) {
  auto* const entry = devices_->find(device);
  const bool present = entry != nullptr && entry->session && entry->session.address() == session;
  if (present) {
    entry->session = nullptr;
    departed(*entry);
  }
  const auto found = deciding_.find(device);
  if (found == deciding_.end())
    return;
  auto& one = found->second;
  if (one.now.hello->session.address() == session)
    one.gone = true;
  std::erase_if(one.waiting, [&](newcomer& waiting) {
    if (waiting.hello->session.address() != session)
      return false;
    waiting.answer.deliver(make_error(errc::refused, "the session has left"));
    return true;
  });
  if (present && one.question != 0)
    on_old_session(device, one.question, false);
}

} // namespace muster::actors
