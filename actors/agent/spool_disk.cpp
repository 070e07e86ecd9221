#include "actors/agent/spool_disk.hpp"

#include "actors/agent/limits.hpp"
#include "storage/keys.hpp"
#include "storage/records.hpp"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <utility>

namespace muster::actors {

namespace keys = storage::keys;
namespace records = storage::records;
using storage::family;

namespace {

/// So many keys are erased one by one; more at once by a range. A range costs every later read a
/// little, a key only its own place.
constexpr std::uint64_t erasures_max = 64;

std::string from_key() {
  return keys::setting("spool_from");
}

std::string naming_key() {
  return keys::setting("spool_naming");
}

/// At most so many bytes, never half a character.
std::string cut(const std::string& text, std::size_t bytes_max) {
  auto out = records::clean_text(text);
  if (out.size() > bytes_max) {
    auto end = bytes_max;
    while (end > 0 && (static_cast<unsigned char>(out[end]) & 0xC0U) == 0x80U)
      --end;
    out.resize(end);
  }
  return out;
}

storage::change put_record(std::uint64_t number, const storage::record::spooled_event& record) {
  return storage::put(family::events, keys::spooled(number), records::encode(record));
}

severity severity_from(std::uint32_t value) {
  return static_cast<severity>(std::clamp<std::uint32_t>(value, 1, 4));
}

/// What a setting says; what cannot be read counts as not said.
template <class Record>
std::error_code read_setting(const storage::store& from, const std::string& key, Record& out) {
  std::error_code ec;
  const auto value = from.get(family::meta, key, ec);
  if (!ec && value && records::decode(*value, out))
    out.Clear();
  return ec;
}

std::error_code read_number(const storage::store& from, const std::string& key,
                            std::uint64_t& out) {
  std::error_code ec;
  const auto value = from.get(family::meta, key, ec);
  if (!ec && value && records::decode_number(*value, out))
    out = 0;
  return ec;
}

spool_found found_in(std::uint64_t number, std::size_t bytes,
                     const storage::record::spooled_event& record) {
  spool_found out;
  out.entry = {number, static_cast<std::uint32_t>(bytes), severity_from(record.severity()),
               record.content().gap_count() > 0};
  out.epoch = record.epoch();
  out.offset = number - record.sequence();
  if (out.entry.is_gap) {
    const auto reach = record.content().gap_last() - record.content().gap_first();
    out.gap = {number - reach, number, record.content().gap_count()};
  }
  return out;
}

/// Whether the numbers in it can be reckoned with: what was not written by us may say anything.
bool plausible(std::uint64_t number, const storage::record::spooled_event& record) {
  const auto& content = record.content();
  const bool gap_fits = content.gap_count() == 0
                        || (content.gap_first() > 0 && content.gap_first() <= content.gap_last()
                            && content.gap_last() - content.gap_first() < record.sequence());
  return record.epoch() != 0 && record.sequence() > 0 && record.sequence() <= number && gap_fits;
}

event_item item_of(std::uint64_t number, const spool_run& run,
                   const storage::record::spooled_event& record) {
  const auto& content = record.content();
  event_item out;
  out.sequence = number - run.offset;
  out.time_ms = content.time_ms();
  out.severity = severity_from(record.severity());
  out.type = content.type();
  out.text = content.text();
  for (const auto& [key, value] : content.attributes())
    out.attributes.emplace(key, value);
  if (content.gap_count() > 0) {
    const auto reach = content.gap_last() - content.gap_first();
    out.gap = event_gap{out.sequence - reach, out.sequence, content.gap_count()};
  }
  return out;
}

} // namespace

raised_event tidied(const raised_event& event) {
  raised_event out;
  out.severity = severity_from(static_cast<std::uint32_t>(event.severity));
  out.time_ms = event.time_ms;
  out.type = cut(event.type, limits::event_type_bytes_max);
  out.text = cut(event.text, limits::event_text_bytes_max);
  for (const auto& [key, value] : event.attributes) {
    if (out.attributes.size() == limits::event_attributes_max)
      break;
    out.attributes.emplace(cut(key, limits::event_key_bytes_max),
                           cut(value, limits::event_value_bytes_max));
  }
  return out;
}

storage::change put_event(std::uint64_t number, const event_position& name,
                          const raised_event& event) {
  storage::record::spooled_event record;
  record.set_epoch(name.epoch);
  record.set_sequence(name.sequence);
  record.set_severity(static_cast<std::uint32_t>(event.severity));
  auto& content = *record.mutable_content();
  content.set_sequence(name.sequence);
  content.set_time_ms(event.time_ms);
  content.set_type(event.type);
  content.set_text(event.text);
  for (const auto& [key, value] : event.attributes)
    (*content.mutable_attributes())[key] = value;
  return put_record(number, record);
}

storage::change put_gap(const spool_gap& gap, const event_position& name, std::int64_t now_ms) {
  storage::record::spooled_event record;
  record.set_epoch(name.epoch);
  record.set_sequence(name.sequence);
  record.set_severity(static_cast<std::uint32_t>(severity::warning));
  auto& content = *record.mutable_content();
  content.set_sequence(name.sequence);
  content.set_time_ms(now_ms);
  content.set_type("spool.gap");
  content.set_text(fmt::format("{} event{} lost: the agent's spool was full or damaged", gap.count,
                               gap.count == 1 ? " was" : "s were"));
  content.set_gap_first(name.sequence - (gap.last - gap.first));
  content.set_gap_last(name.sequence);
  content.set_gap_count(gap.count);
  return put_record(gap.last, record);
}

storage::change put_naming(std::uint64_t first, std::uint64_t end, std::uint64_t epoch) {
  storage::record::spool_naming record;
  record.set_first(first);
  record.set_end(end);
  record.set_epoch(epoch);
  return storage::put(family::meta, naming_key(), records::encode(record));
}

storage::change erase_event(std::uint64_t number) {
  return storage::erase(family::events, keys::spooled(number));
}

storage::change_batch erase_events(std::uint64_t first, std::uint64_t end) {
  storage::change_batch out;
  if (end - first > erasures_max) {
    out.push_back(storage::erase_range(family::events, keys::spooled(first), keys::spooled(end)));
  } else {
    for (auto number = first; number < end; ++number)
      out.push_back(erase_event(number));
  }
  out.push_back(storage::put(family::meta, from_key(), records::encode_number(end)));
  return out;
}

std::error_code read_contents(const storage::store& from, spool_contents& out) {
  storage::record::spool_naming naming;
  if (const auto ec = read_number(from, from_key(), out.erased_to))
    return ec;
  if (const auto ec = read_setting(from, naming_key(), naming))
    return ec;
  out.next_number = std::max({std::uint64_t{1}, out.erased_to, naming.end()});
  // Not from the beginning: what has been erased may still lie there for a while, to be stepped
  // over.
  auto range = keys::spool();
  range.lower = keys::spooled(out.erased_to);
  return from.scan(family::events, range, false, [&](auto key, auto value) {
    const auto number = keys::parse_spooled(key);
    if (!number)
      return true;
    storage::record::spooled_event record;
    auto& found = out.found.emplace_back();
    if (!records::decode(value, record) && plausible(*number, record)) {
      found = found_in(*number, value.size(), record);
    } else {
      found.entry = {*number, static_cast<std::uint32_t>(value.size()), severity::info, false};
      out.unreadable.push_back(*number);
    }
    if (*number >= naming.first() && *number < naming.end() && naming.first() > 0) {
      found.epoch = naming.epoch();
      found.offset = naming.first() - 1;
    }
    out.next_number = std::max(out.next_number, *number + 1);
    return true;
  });
}

std::error_code read_part(const storage::store& from, const spool_stretch& stretch,
                          std::uint64_t bytes_max, spool_part& out) {
  std::error_code problem;
  std::uint64_t bytes = 0;
  const storage::key_range range{keys::spooled(stretch.first), keys::spooled(stretch.end)};
  const auto ec = from.scan(family::events, range, false, [&](auto key, auto value) {
    bytes += value.size();
    if (bytes > bytes_max && !out.events.empty())
      return false;
    const auto number = keys::parse_spooled(key);
    storage::record::spooled_event record;
    problem = number ? records::decode(value, record)
                     : storage::make_error_code(storage::errc::corrupt);
    if (problem)
      return false;
    out.numbers.push_back(*number);
    out.events.push_back(item_of(*number, stretch.run, record));
    return true;
  });
  return ec ? ec : problem;
}

} // namespace muster::actors
