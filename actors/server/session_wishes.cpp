// What the directory wants of a session: a sync, a kept connection, a sign of life; and what an
// agent wants to know of us.
#include "actors/server/convert.hpp"
#include "actors/server/session.hpp"
#include "actors/server/session_limits.hpp"

#include <memory>

namespace muster::actors {

namespace {

/// In `wake_tests_`: its number's test is not over.
constexpr std::uint8_t test_runs = 0x80;
/// A session makes fewer probes than this in its life; ticks from here on are of tests of wakes.
constexpr std::uint32_t first_test_tick = 0xFFFF'FF00;

} // namespace

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

/// The other way round: the agent wants something of us. Its wake ends long after the agent has seen
/// whether it arrives, unless it cannot be sent; so whatever has not ended by then is on its way.
void session_state::on_wake_test() {
  if ((wake_tests_ & test_runs) != 0)
    link_->grant(1); // who tests again has seen the end of the one before
  const auto number = static_cast<std::uint8_t>((wake_tests_ + 1U) & ~test_runs);
  wake_tests_ = number | test_runs;
  self_->request(services_->directory_of(device_), caf::infinite, atom::probe_v, device_)
    .then([this, number](const wake_result& result) {
            tell_wake_test(number, result.sent != 0, result.text);
          },
          [this](const caf::error&) { end_with({}); });
  self_->delayed_send(self_, session_limits::wake_test_doubt, atom::tick_v,
                      first_test_tick + number);
}

void session_state::tell_wake_test(std::uint8_t number, bool sent, const std::string& text) {
  if (state_ != peer_state::active || wake_tests_ != (number | test_runs))
    return;
  wake_tests_ = number;
  if (!link_->try_send(convert::wake_test_sent(sent, text)))
    return end_with({});
  link_->grant(1);
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

void session_state::on_time_up(std::uint32_t number) {
  if (number >= first_test_tick)
    return tell_wake_test(static_cast<std::uint8_t>(number - first_test_tick), true, {});
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
