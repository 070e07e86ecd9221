// A player's events: a spool in memory with the real one's semantics.
#include "apps/load/player.hpp"

#include "net/wire/agent.pb.h"

#include <algorithm>
#include <random>

namespace muster::load {

namespace {

constexpr std::size_t batch_max = 100;
constexpr std::uint8_t batches_max = 3; // as many as the server takes without a pause

wire::severity severity_of(std::uint64_t sequence) {
  const auto place = sequence % 100;
  return place < 90   ? wire::severity_info
         : place < 97 ? wire::severity_warning
         : place < 99 ? wire::severity_critical
                      : wire::severity_failure;
}

} // namespace

void player::raise(std::chrono::steady_clock::time_point when) {
  if (epoch_ == 0)
    epoch_ = std::random_device{}() | std::uint64_t{1} << 63 | std::uint64_t{std::random_device{}()} << 32;
  spool_.push_back(when);
  if (stream_open_)
    return send_events();
  if (phase_ != phase::active || stream_asked_)
    return;
  stream_asked_ = true;
  wire::agent_message message;
  message.mutable_events_open();
  say(message, "events_open");
}

/// What the server holds of another epoch says nothing of this one.
void player::on_position(const wire::events_position& at) {
  stream_open_ = true;
  batches_ = 0;
  const auto held = at.epoch() == epoch_ ? at.sequence() : 0;
  server_epoch_ = at.epoch();
  server_sequence_ = at.sequence();
  sent_ = std::max(held, acked_); // what was sent on the connection before may not have arrived
  on_acked(held);
}

void player::send_events() {
  while (stream_open_ && batches_ < batches_max && sent_ < acked_ + spool_.size()) {
    const auto count = std::min<std::uint64_t>(batch_max, acked_ + spool_.size() - sent_);
    wire::agent_message message;
    auto& events = *message.mutable_events();
    events.mutable_after()->set_epoch(server_epoch_);
    events.mutable_after()->set_sequence(server_sequence_);
    events.set_epoch(epoch_);
    const auto now_ms = std::chrono::duration_cast<std::chrono::milliseconds>(
                          std::chrono::system_clock::now().time_since_epoch())
                          .count();
    events.set_clock_ms(now_ms);
    for (std::uint64_t i = 1; i <= count; ++i) {
      auto& event = *events.add_items();
      event.set_sequence(sent_ + i);
      event.set_time_ms(now_ms);
      event.set_severity(severity_of(sent_ + i));
      event.set_type("load.event");
      event.set_text("event " + std::to_string(sent_ + i) + " of load-" + std::to_string(number_));
    }
    sent_ += count;
    server_epoch_ = epoch_;
    server_sequence_ = sent_;
    ++batches_;
    say(message, "events");
  }
}

/// Each event by itself: its latency is from the moment at which it was raised.
void player::on_acked(std::uint64_t sequence) {
  batches_ = batches_ > 0 ? static_cast<std::uint8_t>(batches_ - 1) : std::uint8_t{0};
  while (acked_ < sequence && !spool_.empty()) {
    const auto when = spool_.front();
    spool_.pop_front();
    ++acked_;
    watcher_.on_news(*this, {news::acked, 1, when});
  }
  send_events();
}

} // namespace muster::load
