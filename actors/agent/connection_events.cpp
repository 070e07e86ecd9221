// The connection's part that hands over events.
#include "actors/agent/connection.hpp"
#include "actors/agent/convert.hpp"

#include <algorithm>
#include <utility>

namespace muster::actors {

void connection_state::on_events_ready() {
  events_waiting_ = true;
  if (phase_ == phase::open && events_open_)
    return send_events();
  consider();
}

/// Asks where the server is, once a connection.
void connection_state::open_events() {
  if (std::exchange(events_asked_, true))
    return;
  heard_at_ = now();
  wire::agent_message message;
  message.mutable_events_open();
  say(message);
}

/// The answer to our question, or the server's word that our picture of it is wrong: whatever was
/// in flight is void, we go on behind what it holds.
void connection_state::on_events_position(const event_position& position) {
  ++generation_;
  fetching_ = false;
  in_flight_.clear();
  sent_ = position;
  events_waiting_ = true;
  if (!std::exchange(went_back_, false)) {
    events_open_ = true;
    self_->send(peers_.spool, atom::acked_v, position);
    return send_events();
  }
  fetching_ = true;
  self_->request(peers_.spool, caf::infinite, atom::renumber_v, position)
    .then(
      [this, stream = generation_](caf::ok_atom) {
        if (stream != generation_)
          return;
        fetching_ = false;
        events_open_ = true;
        send_events();
      },
      [this](const caf::error& why) {
        went_back_ = true; // nothing is sent before it has worked, now or in the next connection
        if (phase_ == phase::open)
          give_up("events could not be numbered anew: " + text_of(why));
      });
}

/// Keeps `window` batches in flight while the spool has more.
void connection_state::send_events() {
  if (phase_ != phase::open || !events_open_ || fetching_ || in_flight_.size() >= options_.window)
    return;
  fetching_ = true;
  events_waiting_ = false; // a `ready` that comes meanwhile says otherwise
  self_->request(peers_.spool, caf::infinite, atom::next_v, sent_, options_.batch_bytes_max)
    .then(
      [this, stream = generation_](const spool_batch_ptr& batch) { on_batch(batch, stream); },
      [this, stream = generation_](const caf::error& why) {
        if (stream != generation_)
          return;
        fetching_ = false;
        events_waiting_ = true;
        give_up("the spool could not be read: " + text_of(why));
      });
}

void connection_state::on_batch(const spool_batch_ptr& batch, std::uint32_t generation) {
  if (generation != generation_)
    return;
  fetching_ = false;
  if (phase_ != phase::open) // closing: the next connection begins behind what the server holds
    return void(events_waiting_ = true);
  if (batch->events.empty())
    return events_waiting_ ? send_events() : close_if_done();
  if (in_flight_.empty())
    heard_at_ = now();
  sent_ = {batch->epoch, batch->events.back().sequence};
  in_flight_.push_back(sent_);
  events_waiting_ = true;
  say(to_wire(*batch, options_.now_us() / 1000));
  send_events();
}

/// Cumulative: everything sent up to this event is on the server's disk. One that is not in flight
/// belongs to what a word about the position has made void: that word said the same or more.
void connection_state::on_events_ack(const event_position& position) {
  const auto covers = [&](const event_position& last) {
    return last.epoch == position.epoch && last.sequence >= position.sequence;
  };
  const auto found = std::find_if(in_flight_.begin(), in_flight_.end(), covers);
  if (found == in_flight_.end())
    return;
  in_flight_.erase(in_flight_.begin(), *found == position ? found + 1 : found);
  self_->send(peers_.spool, atom::acked_v, position);
  linger_until_ = now() + options_.linger;
  send_events();
  close_if_done();
}

} // namespace muster::actors
