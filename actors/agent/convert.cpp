#include "actors/agent/convert.hpp"

#include "net/section_digest.hpp"

namespace muster::actors {

std::string canonical_form(const google::protobuf::MessageLite& section) {
  return section.SerializeAsString(); // no maps in sections: one message, one form
}

std::size_t index_of(int section) {
  return section >= 1 && section <= static_cast<int>(sections)
           ? static_cast<std::size_t>(section) - 1
           : sections;
}

void set_content(machine_snapshot& snapshot, wire::section which, std::string content) {
  const auto i = index_of(which);
  snapshot.digests.at(i) = net::section_digest_of(content);
  snapshot.content.at(i) = std::move(content);
}

void fill(wire::statistics& out, const device_statistics& from) {
  out.set_uptime_s(from.uptime_s);
  out.set_load_milli(from.load_milli);
  out.set_memory_available_kb(from.memory_available_kb);
  out.set_disk_free_mb(from.disk_free_mb);
  out.set_disk_used_percent(from.disk_used_percent);
}

void fill(google::protobuf::RepeatedPtrField<wire::section_digest>& out,
          const section_digests& from) {
  for (std::size_t i = 0; i < from.size(); ++i) {
    if (from[i] == section_digest{})
      continue; // nothing to say of it
    auto& digest = *out.Add();
    digest.set_section(static_cast<wire::section>(i + 1));
    digest.set_digest(from[i].data(), from[i].size());
  }
}

namespace {

void fill(wire::event& out, const event_item& from) {
  out.set_sequence(from.sequence);
  out.set_time_ms(from.time_ms);
  out.set_severity(static_cast<wire::severity>(from.severity));
  out.set_type(from.type);
  out.set_text(from.text);
  for (const auto& [key, value] : from.attributes)
    (*out.mutable_attributes())[key] = value;
  if (from.gap) {
    out.mutable_gap()->set_first_sequence(from.gap->first);
    out.mutable_gap()->set_last_sequence(from.gap->last);
    out.mutable_gap()->set_count(from.gap->count);
  }
}

} // namespace

wire::agent_message to_wire(const spool_batch& batch, std::int64_t clock_ms) {
  wire::agent_message message;
  auto& events = *message.mutable_events();
  events.mutable_after()->set_epoch(batch.after.epoch);
  events.mutable_after()->set_sequence(batch.after.sequence);
  events.set_epoch(batch.epoch);
  events.set_clock_ms(clock_ms);
  for (const auto& item : batch.events)
    fill(*events.add_items(), item);
  return message;
}

} // namespace muster::actors
