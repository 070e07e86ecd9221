#include "storage/event_blocks_actor.hpp"

#include "storage/keys.hpp"
#include "storage/limits.hpp"
#include "storage/record_fields.hpp"

#include <muster/assert.hpp>

#include <algorithm>
#include <array>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace muster::storage {

namespace {

constexpr std::size_t severities = 4;

std::size_t index_of(const actors::event_item& item) {
  return static_cast<std::size_t>(item.severity) - 1;
}

/// A record::event.
template <class Fields>
void put_fields(const actors::event_item& item, Fields& to) {
  using record::event;
  to.number(event::kSequenceFieldNumber, item.sequence);
  to.number(event::kTimeMsFieldNumber, static_cast<std::uint64_t>(item.time_ms));
  to.text(event::kTypeFieldNumber, item.type);
  to.text(event::kTextFieldNumber, item.text);
  for (const auto& [key, value] : item.attributes)
    to.entry(event::kAttributesFieldNumber, key, value);
  if (item.gap) {
    to.number(event::kGapFirstFieldNumber, item.gap->first);
    to.number(event::kGapLastFieldNumber, item.gap->last);
    to.number(event::kGapCountFieldNumber, item.gap->count);
  }
}

/// Appends the event as one more element of its block.
void append_event(const actors::event_item& item, std::string& to) {
  constexpr int events = record::event_block::kEventsFieldNumber;
  constexpr auto tag = records::tag_of(events, records::wire_type::delimited);
  records::field_counter count;
  put_fields(item, count);
  const auto size = count.bytes();
  const auto at = to.size();
  to.resize(at + records::varint_bytes(tag) + records::varint_bytes(size) + size);
  records::field_writer out(to.data() + at);
  out.delimited(events, size);
  put_fields(item, out);
  MUSTER_ASSERT(out.end() == to.data() + to.size(), "as long as was counted");
}

/// Closed blocks of events, without what the moment of receipt adds.
std::vector<actors::encoded_events> encode(const std::vector<actors::event_item>& events) {
  std::vector<actors::encoded_events> out;
  std::array<std::string, severities> open;
  const auto close = [&](std::size_t index) {
    const auto severity = static_cast<actors::severity>(index + 1);
    out.push_back({severity, std::exchange(open[index], {})});
  };
  auto left = events.size();
  for (const auto& item : events) {
    const auto index = index_of(item);
    auto& block = open[index];
    const bool begins = block.empty();
    append_event(item, block);
    if (begins) // guess that all that follow are like this one
      block.reserve(std::min(block.size() * left, block.size() + limits::event_block_bytes));
    --left;
    if (block.size() >= limits::event_block_bytes)
      close(index);
  }
  for (std::size_t index = 0; index < severities; ++index)
    if (!open[index].empty())
      close(index);
  return out;
}

/// A record::event_block but for its events, which were encoded before.
template <class Fields>
void put_head(const actors::event_append& what, std::int64_t received_us, std::uint8_t severity,
              Fields& to) {
  using record::event_block;
  const auto& id = what.device.bytes;
  to.raw(event_block::kDeviceFieldNumber, {reinterpret_cast<const char*>(id.data()), id.size()});
  to.text(event_block::kDeviceNameFieldNumber, what.device_name);
  to.fixed64(event_block::kEpochFieldNumber, what.epoch);
  to.number(event_block::kReceivedUsFieldNumber, static_cast<std::uint64_t>(received_us));
  to.number(event_block::kClockOffsetMsFieldNumber, records::zigzag(what.clock_offset_ms));
  to.number(event_block::kSeverityFieldNumber, severity);
}

template <class Fields>
void put_position(const actors::event_position& at, Fields& to) {
  to.fixed64(record::position::kEpochFieldNumber, at.epoch);
  to.number(record::position::kSequenceFieldNumber, at.sequence);
}

/// The value of the record that `put` describes, to a counter and to a writer; `tail` is more of
/// the same record.
template <class Put>
std::string value_of(const Put& put, std::string_view tail = {}) {
  records::field_counter count;
  put(count);
  auto out = records::begin(count.bytes() + tail.size());
  const auto at = out.size();
  out.resize(at + count.bytes());
  records::field_writer to(out.data() + at);
  put(to);
  MUSTER_ASSERT(to.end() == out.data() + out.size(), "as long as was counted");
  return out.append(tail);
}

/// Calls `visit` with every block and its number among those of its severity.
template <class Visit>
void each_block(const actors::event_append& what, const Visit& visit) {
  MUSTER_ASSERT(!what.encoded.empty(), "what is stored has been prepared");
  std::array<std::uint16_t, severities> parts{};
  for (const auto& block : what.encoded) {
    const auto severity = static_cast<std::uint8_t>(block.severity);
    visit(block, severity, parts[severity - 1U]++);
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
  if (!unfit(what))
    what.encoded = encode(what.events);
}

void append_blocks(const actors::event_append& what, std::int64_t received_us, change_batch& to) {
  each_block(
    what, [&](const actors::encoded_events& block, std::uint8_t severity, std::uint16_t part) {
      const auto head = [&](auto& fields) { put_head(what, received_us, severity, fields); };
      to.push_back(
        put(family::events, keys::event(severity, received_us, part), value_of(head, block.bytes)));
    });
}

void append_entries(const actors::event_append& what, std::int64_t received_us, change_batch& to) {
  each_block(what, [&](const auto&, std::uint8_t severity, std::uint16_t part) {
    to.push_back(
      put(family::index, keys::device_event(what.device.bytes, severity, received_us, part), {}));
  });
  const auto behind = position_behind(what);
  to.push_back(put(family::devices, keys::position(numbered_by(what).bytes),
                   value_of([&](auto& fields) { put_position(behind, fields); })));
}

} // namespace muster::storage
