// The connection's part that speaks the last words.
#include "actors/agent/connection.hpp"
#include "actors/agent/connection_farewell.hpp"

#include <caf/exit_reason.hpp>

#include <spdlog/spdlog.h>

#include <utility>

namespace muster::actors {

void connection_state::on_stop(const caf::exit_msg& stop) {
  if (stopping_)
    return;
  stopping_ = stop.reason;
  stop_by_ = now() + options_.stop_max;
  answer_askers(make_error(errc::stopping, "the agent is stopping"));
  end_wake_probe(false, "the agent is stopping");
  // A machine that goes said so already; what is left is handed over first nevertheless.
  away_until_ = now();
  // Its word that the last event waits may still be on its way: this request overtook it.
  events_waiting_ = true;
  self_->request(peers_.spool, caf::infinite, atom::count_v)
    .then(
      [this](std::uint64_t waiting) {
        if (waiting == 0)
          return finish();
        hand_over();
      },
      [this](const caf::error& why) {
        spdlog::warn("nobody knows which events wait: {}", text_of(why));
        finish();
      });
  self_->delayed_send(self_, options_.stop_max, atom::tick_v);
}

/// What the present phase allows; what it does not allow yet comes with the next one. A link that
/// was being closed when the stop began is followed by one attempt; whatever fails from then on
/// ends us, so there is no second one.
void connection_state::hand_over() {
  if (finishing_)
    return;
  if (phase_ == phase::open)
    return events_open_ ? send_events() : open_events();
  if (phase_ != phase::idle)
    return;
  const bool looked_once = digests_ != section_digests{}; // a hello without digests is none
  if (!counter_ || !looked_once || now() < next_attempt())
    return finish();
  phase_ = phase::preparing;
  looked_ = false;
  count_hello();
}

/// The last word is a notice, unless we only make place for our successor, or the server knows
/// already why we go and has not seen us since.
void connection_state::finish() {
  if (std::exchange(finishing_, true))
    return;
  if (now() >= stop_by_)
    spdlog::info("{}: not everything was handed over within {} ms; it waits for the next start",
                 options_.server, options_.stop_max.count());
  phase_ = phase::closing;
  if (const auto link = std::exchange(link_, nullptr))
    link->close();
  const bool for_good = *stopping_ == caf::exit_reason::user_shutdown;
  const bool known = told_counter_ != 0 && told_counter_ > hello_counter_;
  if (!for_good || known)
    return self_->quit(*stopping_);
  const auto why = going_ == off_reason::none ? off_reason::agent_stop : going_;
  tell_going(why, [this](bool) { self_->quit(*stopping_); });
}

} // namespace muster::actors
