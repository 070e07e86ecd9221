// What the directory wants of a session: a sync, a kept connection, a sign of life; and what an
// agent wants to know of us.
#include "actors/server/convert.hpp"
#include "actors/server/session.hpp"
#include "actors/server/session_limits.hpp"

#include <memory>

namespace muster::actors {

/// A sync that is in progress now is no answer: the agent begins another behind it.
void session_state::on_sync_wanted(std::uint64_t calls) {
  if (state_ != peer_state::active)
    return; // the directory hears that we left
  calls_ = calls;
  if (!link_->try_send(convert::sync_now()))
    end_with({});
}

void session_state::on_keep(bool on) {
  if (state_ == peer_state::active && !link_->try_send(convert::keep(on)))
    end_with({});
}

/// The other way round: the agent wants something of us.
void session_state::on_wake_test() {
  self_->request(services_->directory_of(device_), caf::infinite, atom::probe_v, device_)
    .then(
      [this](const wake_result& result) {
        if (state_ != peer_state::active)
          return;
        if (!link_->try_send(convert::wake_test_sent(result.sent != 0, result.text)))
          return end_with({});
        link_->grant(1);
      },
      [this](const caf::error&) { end_with({}); });
}

caf::result<bool> session_state::on_probe() {
  if (state_ != peer_state::active)
    return false;
  auto answer = self_->make_response_promise<bool>();
  if (probe_) {
    probe_->waiting.push_back(answer);
    return answer;
  }
  if (!link_->try_send(convert::ping()))
    return false;
  probe_ = std::make_unique<probing>();
  probe_->waiting.push_back(answer);
  probe_->number = ++probes_;
  self_->delayed_send(self_, session_limits::probe_max, atom::tick_v, probe_->number);
  return answer;
}

void session_state::on_probe_over(std::uint32_t number) {
  if (probe_ && probe_->number == number)
    answer_probes(false);
}

void session_state::answer_probes(bool alive) {
  if (!probe_)
    return;
  for (auto& one : probe_->waiting)
    one.deliver(alive);
  probe_.reset();
}

} // namespace muster::actors
