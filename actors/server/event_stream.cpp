#include "actors/server/event_stream.hpp"

#include "actors/errc.hpp"
#include "actors/server/convert.hpp"
#include "actors/server/session_limits.hpp"
#include "net/wire/agent.pb.h"
#include "storage/event_blocks_actor.hpp"

#include <type_traits>
#include <utility>

namespace muster::actors {

static_assert(!std::is_aggregate_v<event_stream_state>);

event_stream_actor::behavior_type event_stream_state::make_behavior(event_stream_options options) {
  options_ = std::move(options);
  active_at_ = self_->clock().now();
  self_->monitor(options_.session);
  self_->set_down_handler([this](const caf::down_msg&) { self_->quit(); });
  self_->delayed_send(self_, session_limits::stream_idle_max, atom::tick_v);
  return {
    [this](atom::open) { on_open(); },
    [this](atom::events, const agent_message_ptr& message) { on_events(message); },
    [this](atom::tick) { on_tick(); },
    [this](atom::status) { return status(); },
  };
}

void event_stream_state::on_open() {
  ++taken_;
  ++in_flight_;
  self_->request(options_.services->writer, caf::infinite, atom::position_v, options_.device)
    .then(
      [this](const event_position& position) {
        say(convert::events_position(position));
        work_off();
      },
      [this](const caf::error& why) { self_->quit(why); });
}

void event_stream_state::on_events(const agent_message_ptr& message) {
  ++taken_;
  ++in_flight_;
  std::string problem;
  auto events = convert::append_of(message->events(), options_.device, options_.device_name,
                                   options_.services->now(), problem);
  if (!events)
    return self_->quit(make_error(errc::invalid, std::move(problem)));
  if (expected_ && events->after != *expected_)
    return work_off();
  expected_.reset();
  storage::prepare(*events);
  const auto batch = std::make_shared<const event_append>(std::move(*events));
  self_->request(options_.services->writer, caf::infinite, atom::append_v, event_append_ptr{batch})
    .then(
      [this, batch, round = round_](const append_result& result) {
        if (result.stored)
          on_stored(batch, result);
        else
          on_moved(result.position, round);
        work_off();
      },
      // Nothing is acknowledged. The agent keeps its events and comes back.
      [this](const caf::error& why) { self_->quit(why); });
}

void event_stream_state::on_stored(const event_append_ptr& batch, const append_result& result) {
  stored_ += batch->events.size();
  say(convert::events_ack(result.position));
  self_->send(options_.services->event_book, atom::publish_v,
              std::make_shared<const stored_events>(stored_events{batch, result.received_us}));
}

/// The batches that were sent behind this one are told by the same word: their round is over.
void event_stream_state::on_moved(const event_position& position, std::uint32_t round) {
  if (round != round_)
    return;
  ++round_;
  expected_ = position;
  say(convert::events_position(position));
}

/// A message of the agent is done with, one way or another.
void event_stream_state::work_off() {
  --in_flight_;
  active_at_ = self_->clock().now();
  options_.link->grant(1);
}

void event_stream_state::on_tick() {
  const auto idle = self_->clock().now() - active_at_;
  auto wait = caf::timespan{session_limits::stream_idle_max};
  if (in_flight_ == 0 && idle >= wait)
    self_->send(options_.session, atom::left_v, taken_);
  else if (in_flight_ == 0)
    wait -= idle;
  self_->delayed_send(self_, wait, atom::tick_v);
}

void event_stream_state::say(std::string message) {
  // An agent that does not listen has no use for the connection.
  if (!options_.link->try_send(std::move(message)))
    options_.link->close();
}

std::string event_stream_state::status() const {
  return "device " + options_.device.text() + ": " + std::to_string(in_flight_) + " in flight, " +
         std::to_string(stored_) + " events stored";
}

event_stream_actor::behavior_type
event_stream(event_stream_actor::stateful_pointer<event_stream_state> self,
             event_stream_options options) {
  return self->state.make_behavior(std::move(options));
}

} // namespace muster::actors
