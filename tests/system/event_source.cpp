#include "tests/system/event_source.hpp"

#include <algorithm>
#include <utility>

namespace muster::test {

namespace {

using namespace std::chrono_literals;

constexpr std::uint32_t batches_in_flight_max = 2;
constexpr std::uint64_t events_per_batch_max = 20;

std::uint64_t next(std::uint64_t& random) {
  random = random * 6364136223846793005ULL + 1442695040888963407ULL;
  return random >> 33;
}

} // namespace

event_source::event_source(wire_identity who, std::uint64_t seed)
  : who_(std::move(who)), random_(seed), epoch_(next(random_) << 20 | 1),
    thread_([this] { work(); }) {}

event_source::~event_source() {
  stop();
}

void event_source::stop() {
  {
    const std::lock_guard lock{mutex_};
    stopping_ = true;
    changed_.notify_all();
  }
  if (thread_.joinable())
    thread_.join();
}

void event_source::go(std::uint16_t port) {
  const std::lock_guard lock{mutex_};
  port_ = port;
  changed_.notify_all();
}

bool event_source::has_acknowledged(std::uint64_t events, std::chrono::milliseconds time) {
  std::unique_lock lock{mutex_};
  return changed_.wait_for(lock, time, [&] { return acknowledged_ >= events; });
}

bool event_source::rests_within(std::chrono::milliseconds time) {
  std::unique_lock lock{mutex_};
  return changed_.wait_for(lock, time, [this] { return port_ == 0 && !talking_; });
}

std::uint64_t event_source::acknowledged() {
  const std::lock_guard lock{mutex_};
  return acknowledged_;
}

std::string event_source::complaint() {
  const std::lock_guard lock{mutex_};
  return complaint_;
}

std::string event_source::last_words() {
  const std::lock_guard lock{mutex_};
  return last_words_;
}

void event_source::complain(const std::string& what) {
  const std::lock_guard lock{mutex_};
  if (complaint_.empty())
    complaint_ = what;
}

void event_source::work() {
  while (true) {
    std::unique_lock lock{mutex_};
    changed_.wait(lock, [this] { return stopping_ || port_ != 0; });
    if (stopping_)
      return;
    const auto port = std::exchange(port_, 0);
    talking_ = true;
    lock.unlock();
    auto why = converse(port);
    client_.hang_up();
    const std::lock_guard again{mutex_};
    last_words_ = std::move(why);
    talking_ = false;
    changed_.notify_all();
  }
}

/// Until the connection ends, or the test does not want any more.
std::string event_source::converse(std::uint16_t port) {
  if (auto problem = greet(client_, who_, port); !problem.empty())
    return problem;
  wire::agent_message open;
  open.mutable_events_open();
  if (!client_.say(open))
    return "ended before the stream was open";
  in_flight_ = 0;
  bool knows_position = false;
  while (true) {
    {
      const std::lock_guard lock{mutex_};
      if (stopping_)
        return "stopped by the test";
    }
    while (knows_position && in_flight_ < batches_in_flight_max)
      if (!send_batch())
        return "ended while events were sent";
    const auto message = client_.hear(500ms);
    if (!message) {
      if (client_.ends_within(0ms))
        return "ended: " + client_.why_ended();
      continue;
    }
    if (!take(*message))
      return "was told " + message->ShortDebugString();
    knows_position = knows_position || message->has_events_position();
  }
}

bool event_source::send_batch() {
  wire::agent_message message;
  auto& events = *message.mutable_events();
  *events.mutable_after() = after_;
  events.set_epoch(epoch_);
  const auto count = 1 + next(random_) % events_per_batch_max;
  for (std::uint64_t i = 0; i < count; ++i) {
    auto& event = *events.add_items();
    event.set_sequence(++sent_);
    event.set_time_ms(1'760'000'000'000 + static_cast<std::int64_t>(sent_));
    event.set_severity(static_cast<wire::severity>(1 + sent_ % 4));
    event.set_type("test.event");
    event.set_text("event " + std::to_string(sent_));
  }
  after_.set_epoch(epoch_);
  after_.set_sequence(sent_);
  reached_ = std::max(reached_, sent_);
  ++in_flight_;
  return client_.say(message);
}

bool event_source::take(const wire::server_message& message) {
  if (message.has_events_position())
    return take_position(message.events_position());
  if (!message.has_events_ack())
    return !message.has_refused() && !message.has_goodbye() && !message.has_busy();
  const auto& ack = message.events_ack();
  if (ack.epoch() != epoch_ || ack.sequence() > sent_)
    complain("acknowledged what was not sent: " + std::to_string(ack.sequence()));
  --in_flight_;
  const std::lock_guard lock{mutex_};
  acknowledged_ = std::max(acknowledged_, ack.sequence());
  changed_.notify_all();
  return true;
}

/// The server names the last event it holds: never one before the last acknowledged.
bool event_source::take_position(const wire::events_position& position) {
  const auto held = position.epoch() == epoch_ ? position.sequence() : 0;
  if (held < acknowledged())
    complain("acknowledged " + std::to_string(acknowledged()) + " and then held only " +
             std::to_string(held));
  if (held > reached_)
    complain("held " + std::to_string(held) + " when only " + std::to_string(reached_) +
             " had been sent");
  sent_ = held;
  after_ = position;
  in_flight_ = 0;
  return true;
}

} // namespace muster::test
