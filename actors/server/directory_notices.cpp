// Devices say that they go. A whole office does it at once: what comes while a batch is on its way to
// the store makes the next one.
#include "actors/server/directory.hpp"

#include <algorithm>
#include <utility>

namespace muster::actors {

caf::result<bool> directory_state::take_notice(const notice_facts& facts) {
  const auto refused = [this] {
    ++figures_.notices_refused;
    return false;
  };
  const auto* const entry = devices_->find(facts.device);
  if (entry == nullptr || entry->revoked || changing_.contains(facts.device))
    return refused();
  if (facts.reason == off_reason::none || facts.counter < entry->counter)
    return refused();
  if (facts.counter == entry->counter) {
    if (entry->notice_ahead == 0)
      return refused(); // a hello's
    ++figures_.notices_repeated;
    return true;
  }
  const auto found = noticing_.find(facts.device);
  const bool first = found == noticing_.end();
  if (first && noticing_.size() >= fleet_limits::notices_max)
    return make_error(errc::overloaded, "too many notices at once");
  if (!first && (found->second.facts.counter != facts.counter ||
                 found->second.answers.size() >= fleet_limits::notice_tries_max))
    return make_error(errc::overloaded, "an earlier notice is being stored");
  auto answer = self_->make_response_promise<bool>();
  auto& one = noticing_[facts.device];
  one.facts = facts;
  one.answers.push_back(answer);
  if (first) {
    notices_.push_back(facts.device);
    write_notices();
  }
  return answer;
}

/// Not beside an admission of the device: which of the two came later must be the same in the store
/// and in memory. The admission's end takes it up again.
void directory_state::write_notices() {
  if (!writing_notices_.empty())
    return;
  auto changes = std::make_shared<storage::change_batch>();
  for (; !notices_.empty() && writing_notices_.size() < fleet_limits::notices_per_batch;
       notices_.pop_front()) {
    const auto device = notices_.front();
    const auto found = noticing_.find(device);
    if (found == noticing_.end() || deciding_.contains(device))
      continue;
    const auto* const entry = devices_->find(device);
    if (entry == nullptr || entry->revoked || found->second.facts.counter <= entry->counter) {
      // A hello that was made after it has come first.
      answer_notice(device, entry != nullptr && !entry->revoked);
      continue;
    }
    found->second.written = {found->second.facts.counter, found->second.facts.reason,
                             options_.now() / 1000};
    found->second.writing = true;
    changes->push_back(change_of(*entry));
    writing_notices_.push_back(device);
  }
  if (writing_notices_.empty())
    return;
  self_
    ->request(options_.writer, caf::infinite, atom::put_v, change_batch_ptr{std::move(changes)},
              durability::fact)
    .then([this](caf::ok_atom) { on_notices_written({}); },
          [this](const caf::error& why) { on_notices_written(why); });
}

void directory_state::on_notices_written(const caf::error& why) {
  for (const auto& device : std::exchange(writing_notices_, {})) {
    auto* const entry = devices_->find(device);
    const auto& one = noticing_.at(device);
    if (entry != nullptr && !why) {
      apply(one.written, *entry);
      ++figures_.notices;
    }
    answer_notice(device, entry != nullptr && !entry->revoked, why);
    if (deciding_.contains(device))
      decide(device); // it has waited
  }
  write_notices();
}

void directory_state::answer_notice(const device_id& device, bool taken, const caf::error& why) {
  const auto one = std::move(noticing_.extract(device).mapped());
  for (auto answer : one.answers) {
    if (why)
      answer.deliver(why);
    else
      answer.deliver(taken);
  }
}

} // namespace muster::actors
