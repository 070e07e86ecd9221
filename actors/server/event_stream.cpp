#include "actors/server/event_stream.hpp"

#include "actors/errc.hpp"
#include "actors/server/convert.hpp"
#include "actors/server/session_limits.hpp"
#include "net/wire/agent.pb.h"
#include "storage/event_blocks_actor.hpp"

#include <algorithm>
#include <type_traits>
#include <utility>

namespace muster::actors {

static_assert(!std::is_aggregate_v<event_stream_state>);

event_stream_actor::behavior_type event_stream_state::make_behavior(event_stream_options options) {
  options_ = std::move(options);
  active_at_ = self_->clock().now();
  self_->monitor(options_.session);
  self_->set_down_handler([this](const caf::down_msg&) { self_->quit(); });
  tick_at(active_at_ + session_limits::stream_idle_max);
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
  const auto due = options_.services->budgets->due(options_.device, self_->clock().now());
  if (due > self_->clock().now())
    delay({due, true});
  else
    tell_position();
}

void event_stream_state::tell_position() {
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
  const auto due = options_.services->budgets->spend(
    options_.device, event_cost(events->events.size(), message->events().ByteSizeLong()),
    self_->clock().now());
  if (!due)
    return self_->quit(make_error(errc::overloaded, "sends far more events than it may"));
  if (expected_ && events->after != *expected_)
    return work_off(*due);
  expected_.reset();
  storage::prepare(*events);
  const auto batch = std::make_shared<const event_append>(std::move(*events));
  self_->request(options_.services->writer, caf::infinite, atom::append_v, event_append_ptr{batch})
    .then(
      [this, batch, due = *due, round = round_](const append_result& result) {
        if (result.stored)
          on_stored(batch, result);
        else
          on_moved(result.position, round);
        work_off(due);
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

void event_stream_state::work_off(time_point due) {
  if (due > self_->clock().now())
    delay({due, false});
  else
    work_off();
}

/// A message of the agent is done with, one way or another.
void event_stream_state::work_off() {
  --in_flight_;
  active_at_ = self_->clock().now();
  options_.link->grant(1);
}

void event_stream_state::delay(const delayed& what) {
  delayed_.push_back(what);
  if (what.due < next_tick_at_)
    tick_at(what.due);
}

void event_stream_state::do_what_is_due(time_point now) {
  const auto due =
    std::stable_partition(delayed_.begin(), delayed_.end(),
                          [now](const delayed& one) { return one.due > now; });
  const std::vector<delayed> ready(due, delayed_.end());
  delayed_.erase(due, delayed_.end());
  for (const auto& one : ready) {
    if (one.opening)
      tell_position();
    else
      work_off();
  }
}

void event_stream_state::on_tick() {
  const auto now = self_->clock().now();
  if (now < next_tick_at_)
    return;
  do_what_is_due(now);
  const auto idle = now - active_at_;
  auto next = now + session_limits::stream_idle_max;
  if (in_flight_ == 0 && idle >= session_limits::stream_idle_max)
    self_->send(options_.session, atom::left_v, taken_);
  else if (in_flight_ == 0)
    next -= idle;
  for (const auto& one : delayed_)
    next = std::min(next, one.due);
  tick_at(next);
}

void event_stream_state::tick_at(time_point when) {
  next_tick_at_ = when;
  self_->delayed_send(self_, when - self_->clock().now(), atom::tick_v);
}

void event_stream_state::say(std::string message) {
  // An agent that does not listen has no use for the connection.
  if (!options_.link->try_send(std::move(message)))
    options_.link->close();
}

std::string event_stream_state::status() const {
  return "device " + options_.device.text() + ": " + std::to_string(in_flight_) + " in flight, " +
         std::to_string(delayed_.size()) + " delayed, " +
         std::to_string(stored_) + " events stored";
}

event_stream_actor::behavior_type
event_stream(event_stream_actor::stateful_pointer<event_stream_state> self,
             event_stream_options options) {
  return self->state.make_behavior(std::move(options));
}

} // namespace muster::actors
