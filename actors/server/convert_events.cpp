// Events off the wire: where an agent's words are bounded before they are kept.
#include "actors/server/convert.hpp"

#include "net/wire/agent.pb.h"

namespace muster::actors::convert {

namespace {

/// The empty string when the event keeps every bound.
std::string problem_of(const wire::event& e) {
  if (e.severity() < wire::severity_info || e.severity() > wire::severity_failure)
    return "an event has no known severity";
  if (e.type().empty() || e.type().size() > event_type_bytes_max)
    return "an event's type must have 1 to 128 bytes";
  if (e.text().size() > event_text_bytes_max)
    return "an event's text is longer than 2 KB";
  if (static_cast<std::size_t>(e.attributes_size()) > event_attributes_max)
    return "an event has more than 32 attributes";
  for (const auto& [key, value] : e.attributes()) {
    if (key.size() + value.size() > event_attribute_bytes_max)
      return "an event's attribute is longer than 1 KB";
  }
  if (e.has_gap() && e.gap().first_sequence() > e.gap().last_sequence())
    return "a gap ends before it begins";
  return {};
}

event_item item_of(const wire::event& e) {
  event_item out;
  out.sequence = e.sequence();
  out.time_ms = e.time_ms();
  out.severity = static_cast<severity>(e.severity());
  out.type = e.type();
  out.text = e.text();
  out.attributes.insert(e.attributes().begin(), e.attributes().end());
  if (e.has_gap())
    out.gap = event_gap{e.gap().first_sequence(), e.gap().last_sequence(), e.gap().count()};
  return out;
}

} // namespace

std::optional<event_append> append_of(const wire::events& from, const device_id& device,
                                      const std::string& device_name, std::int64_t now_us,
                                      std::string& problem) {
  const auto count = static_cast<std::size_t>(from.items_size());
  if (count == 0 || count > events_per_batch_max) {
    problem = "a batch must have 1 to 1000 events";
    return std::nullopt;
  }
  event_append out;
  out.device = device;
  out.device_name = device_name;
  out.after = {from.after().epoch(), from.after().sequence()};
  out.epoch = from.epoch();
  out.clock_offset_ms = from.clock_ms() - now_us / 1000;
  out.events.reserve(count);
  std::uint64_t last = out.after.epoch == out.epoch ? out.after.sequence : 0;
  for (const auto& e : from.items()) {
    problem = problem_of(e);
    if (problem.empty() && e.sequence() <= last)
      problem = "the events of a batch must come in order";
    if (!problem.empty())
      return std::nullopt;
    last = e.sequence();
    out.events.push_back(item_of(e));
  }
  return out;
}

} // namespace muster::actors::convert
