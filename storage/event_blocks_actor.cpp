#include "storage/event_blocks_actor.hpp"

#include "storage/keys.hpp"
#include "storage/limits.hpp"
#include "storage/records.hpp"

#include <array>
#include <string>
#include <utility>
#include <vector>

namespace muster::storage {

namespace {

constexpr std::size_t severities = 4;

std::size_t index_of(const actors::event_item& item) {
  return static_cast<std::size_t>(item.severity) - 1;
}

/// Into a record that is used again and again: its texts keep their memory.
void fill(record::event& out, const actors::event_item& item) {
  out.Clear();
  out.set_sequence(item.sequence);
  out.set_time_ms(item.time_ms);
  records::assign_clean_text(*out.mutable_type(), item.type);
  records::assign_clean_text(*out.mutable_text(), item.text);
  for (const auto& [key, value] : item.attributes)
    records::assign_clean_text((*out.mutable_attributes())[records::clean_text(key)], value);
  if (item.gap) {
    out.set_gap_first(item.gap->first);
    out.set_gap_last(item.gap->last);
    out.set_gap_count(item.gap->count);
  }
}

/// Closed blocks of events, without what the moment of receipt adds.
std::vector<actors::encoded_events> encode(const std::vector<actors::event_item>& events) {
  std::vector<actors::encoded_events> out;
  std::array<std::string, severities> open;
  const auto close = [&](std::size_t index) {
    const auto severity = static_cast<actors::severity>(index + 1);
    out.push_back({severity, std::exchange(open[index], {})});
  };
  record::event scratch;
  for (const auto& item : events) {
    const auto index = index_of(item);
    if (index >= severities)
      continue; // unfit: nobody will store this
    fill(scratch, item);
    records::append_element(open[index], record::event_block::kEventsFieldNumber, scratch);
    if (open[index].size() >= limits::event_block_bytes)
      close(index);
  }
  for (std::size_t index = 0; index < severities; ++index)
    if (!open[index].empty())
      close(index);
  return out;
}

/// All blocks of one append begin with this, but for the severity.
record::event_block head_of(const actors::event_append& what, std::int64_t received_us) {
  record::event_block out;
  out.set_device(what.device.raw());
  out.set_device_name(records::clean_text(what.device_name));
  out.set_epoch(what.epoch);
  out.set_received_us(received_us);
  out.set_clock_offset_ms(what.clock_offset_ms);
  return out;
}

void put_blocks(const std::vector<actors::encoded_events>& blocks, const actors::device_id& device,
                record::event_block head, change_batch& to) {
  std::array<std::uint16_t, severities> parts{};
  for (const auto& block : blocks) {
    const auto severity = static_cast<std::uint8_t>(block.severity);
    const auto part = parts[severity - 1U]++;
    head.set_severity(severity);
    to.push_back(put(family::events, keys::event(severity, head.received_us(), part),
                     records::encode(head, block.bytes)));
    to.push_back(
      put(family::index, keys::device_event(device.bytes, severity, head.received_us(), part), {}));
  }
}

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

void prepare(actors::event_append& what) {
  what.encoded = encode(what.events);
}

void append_changes(const actors::event_append& what, std::int64_t received_us, change_batch& to) {
  const auto head = head_of(what, received_us);
  if (what.encoded.empty())
    put_blocks(encode(what.events), what.device, head, to);
  else
    put_blocks(what.encoded, what.device, head, to);
  const auto behind = position_behind(what);
  record::position position;
  position.set_epoch(behind.epoch);
  position.set_sequence(behind.sequence);
  to.push_back(
    put(family::devices, keys::position(numbered_by(what).bytes), records::encode(position)));
}

} // namespace muster::storage
