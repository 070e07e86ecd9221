#include "storage/event_blocks_actor.hpp"

#include "storage/keys.hpp"
#include "storage/limits.hpp"
#include "storage/records.hpp"

#include <array>

namespace muster::storage {

namespace {

constexpr std::size_t severities = 4;

std::size_t index_of(const actors::event_item& item) {
  return static_cast<std::size_t>(item.severity) - 1;
}

void fill(record::event& out, const actors::event_item& item) {
  out.set_sequence(item.sequence);
  out.set_time_ms(item.time_ms);
  out.set_type(records::clean_text(item.type));
  out.set_text(records::clean_text(item.text));
  for (const auto& [key, value] : item.attributes)
    (*out.mutable_attributes())[records::clean_text(key)] = records::clean_text(value);
  if (item.gap) {
    out.set_gap_first(item.gap->first);
    out.set_gap_last(item.gap->last);
    out.set_gap_count(item.gap->count);
  }
}

/// The block being filled, per severity.
class block_writer {
public:
  block_writer(const actors::event_append& what, std::int64_t received_us, std::uint8_t severity,
               change_batch& to)
    : what_(what), received_us_(received_us), severity_(severity), to_(to) {}

  void add(const actors::event_item& item) {
    if (block_.events_size() == 0)
      begin();
    auto& event = *block_.add_events();
    fill(event, item);
    bytes_ += event.ByteSizeLong();
    if (bytes_ >= limits::event_block_bytes)
      flush();
  }

  void flush() {
    if (block_.events_size() == 0)
      return;
    const auto& device = what_.device.bytes;
    to_.push_back(
      put(family::events, keys::event(severity_, received_us_, part_), records::encode(block_)));
    to_.push_back(
      put(family::index, keys::device_event(device, severity_, received_us_, part_), {}));
    block_.Clear();
    bytes_ = 0;
    ++part_;
  }

private:
  void begin() {
    block_.set_device(what_.device.raw());
    block_.set_device_name(records::clean_text(what_.device_name));
    block_.set_epoch(what_.epoch);
    block_.set_received_us(received_us_);
    block_.set_clock_offset_ms(what_.clock_offset_ms);
    block_.set_severity(severity_);
  }

  const actors::event_append& what_;
  const std::int64_t received_us_;
  const std::uint8_t severity_;
  change_batch& to_;
  record::event_block block_;
  std::size_t bytes_ = 0;
  std::uint16_t part_ = 0;
};

} // namespace

std::optional<caf::error> unfit(const actors::event_append& what) {
  const auto invalid = [](const char* why) {
    return actors::make_error(actors::errc::invalid, why);
  };
  if (what.events.empty())
    return invalid("an append without events");
  if (what.events.size() > limits::append_events_max)
    return invalid("too many events in one append");
  auto last = what.epoch == what.after.epoch ? what.after.sequence : 0;
  for (const auto& item : what.events) {
    if (item.sequence <= last)
      return invalid("event sequences do not grow");
    if (index_of(item) >= severities)
      return invalid("an event of no known severity");
    last = item.sequence;
  }
  return std::nullopt;
}

const actors::device_id& numbered_by(const actors::event_append& what) {
  return what.numbered_by ? *what.numbered_by : what.device;
}

actors::event_position position_behind(const actors::event_append& what) {
  return {what.epoch, what.events.back().sequence};
}

void append_changes(const actors::event_append& what, std::int64_t received_us, change_batch& to) {
  for (std::size_t severity = 0; severity < severities; ++severity) {
    block_writer block(what, received_us, static_cast<std::uint8_t>(severity + 1), to);
    for (const auto& item : what.events)
      if (index_of(item) == severity)
        block.add(item);
    block.flush();
  }
  const auto behind = position_behind(what);
  record::position position;
  position.set_epoch(behind.epoch);
  position.set_sequence(behind.sequence);
  to.push_back(put(family::devices, keys::position(numbered_by(what).bytes), records::encode(position)));
}

} // namespace muster::storage
