#include "actors/rules/settings_value.hpp"

#include "actors/rules/settings_codec.hpp"

#include <muster/assert.hpp>

#include <algorithm>
#include <cmath>

namespace muster::rules {

namespace {

auto position_of(const settings_value::map& map, std::string_view name) {
  return std::lower_bound(map.begin(), map.end(), name,
                          [](const settings_entry& e, std::string_view n) { return e.name < n; });
}

void measure(const settings_value& value, std::size_t depth, settings_size& out) noexcept {
  out.depth = std::max(out.depth, depth);
  ++out.nodes;
  out.bytes += settings_codec::own_bytes(value);
  if (const auto* items = value.as_list()) {
    for (const auto& item : *items)
      measure(item, depth + 1, out);
  } else if (const auto* map = value.as_map()) {
    for (const auto& entry : *map) {
      out.bytes += settings_codec::name_bytes(entry.name);
      measure(entry.value, depth + 1, out);
    }
  }
}

std::string text_problem(const settings_value& value) {
  if (const auto* text = value.as_text()) {
    if (!is_utf8(*text))
      return "a text is not UTF-8";
  } else if (const auto* items = value.as_list()) {
    for (const auto& item : *items)
      if (auto problem = text_problem(item); !problem.empty())
        return problem;
  } else if (const auto* map = value.as_map()) {
    for (const auto& entry : *map) {
      if (!is_utf8(entry.name))
        return "a name is not UTF-8";
      if (entry.name.size() > settings_limits::name_bytes_max)
        return "a name is longer than " + std::to_string(settings_limits::name_bytes_max) + " bytes";
      if (auto problem = text_problem(entry.value); !problem.empty())
        return problem;
    }
  }
  return {};
}

} // namespace

settings_value::settings_value() noexcept = default;
settings_value::settings_value(std::nullptr_t) noexcept {}
settings_value::settings_value(bool value) noexcept : value_(value) {}
settings_value::settings_value(std::int64_t value) noexcept : value_(value) {}
settings_value::settings_value(int value) noexcept : value_(std::int64_t{value}) {}
settings_value::settings_value(double value) noexcept {
  if (std::isfinite(value))
    value_ = value == 0 ? 0.0 : value; // -0 and 0 are equal: their bytes must be, too
}
settings_value::settings_value(std::string value) noexcept : value_(std::move(value)) {}
settings_value::settings_value(const char* value) : value_(std::string{value}) {}
settings_value::settings_value(list items) noexcept : value_(std::move(items)) {}

settings_value settings_value::empty_map() {
  settings_value out;
  out.value_ = map{};
  return out;
}

settings_value settings_value::empty_list() {
  return settings_value{list{}};
}

settings_value settings_value::map_of(map entries, std::string& twice) {
  std::stable_sort(entries.begin(), entries.end(),
                   [](const auto& a, const auto& b) { return a.name < b.name; });
  const auto end = std::unique(entries.begin(), entries.end(), [&](const auto& a, const auto& b) {
    if (a.name == b.name)
      twice = a.name;
    return a.name == b.name;
  });
  entries.erase(end, entries.end());
  settings_value out;
  out.value_ = std::move(entries);
  return out;
}

settings_value::settings_value(const settings_value& other) = default;
settings_value::settings_value(settings_value&& other) noexcept = default;
// By way of a copy: `v = v.as_list()->front()` must not destroy what it reads.
settings_value& settings_value::operator=(const settings_value& other) {
  auto copy = other;
  return *this = std::move(copy);
}
settings_value& settings_value::operator=(settings_value&& other) noexcept {
  auto taken = std::move(other.value_);
  value_ = std::move(taken);
  return *this;
}
settings_value::~settings_value() = default;

const settings_value* settings_value::find(std::string_view name) const noexcept {
  const auto* entries = as_map();
  if (entries == nullptr)
    return nullptr;
  const auto at = position_of(*entries, name);
  return at != entries->end() && at->name == name ? &at->value : nullptr;
}

settings_value* settings_value::find(std::string_view name) noexcept {
  return const_cast<settings_value*>(std::as_const(*this).find(name));
}

settings_value& settings_value::set(std::string_view name, settings_value value) {
  auto* entries = as_map();
  MUSTER_ASSERT(entries != nullptr, "only a map has names");
  const auto at = entries->begin() + (position_of(*entries, name) - entries->cbegin());
  if (at != entries->end() && at->name == name) {
    at->value = std::move(value);
    return at->value;
  }
  return entries->insert(at, settings_entry{std::string{name}, std::move(value)})->value;
}

bool settings_value::erase(std::string_view name) {
  auto* entries = as_map();
  if (entries == nullptr)
    return false;
  const auto at = position_of(*entries, name);
  if (at == entries->end() || at->name != name)
    return false;
  entries->erase(at);
  return true;
}

bool operator==(const settings_value& a, const settings_value& b) noexcept {
  return a.value_ == b.value_;
}

settings_size size_of(const settings_value& value) noexcept {
  settings_size out;
  out.bytes = settings_codec::header_bytes;
  measure(value, 1, out);
  return out;
}

std::string problem_with(const settings_value& value) {
  const auto size = size_of(value);
  if (size.depth > settings_limits::depth_max)
    return "it is nested deeper than " + std::to_string(settings_limits::depth_max);
  if (size.nodes > settings_limits::nodes_max)
    return "it has more than " + std::to_string(settings_limits::nodes_max) + " values";
  if (size.bytes > settings_limits::bytes_max)
    return "it is larger than " + std::to_string(settings_limits::bytes_max) + " bytes";
  return text_problem(value);
}

std::string_view name_of(value_kind kind) noexcept {
  switch (kind) {
    case value_kind::null: return "null";
    case value_kind::boolean: return "true or false";
    case value_kind::integer: return "a whole number";
    case value_kind::real: return "a number";
    case value_kind::text: return "a text";
    case value_kind::list: return "a list";
    case value_kind::map: return "a map";
  }
  return "nothing";
}

bool is_utf8(std::string_view text) noexcept {
  std::size_t at = 0;
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  while (at < text.size()) {
    const unsigned lead = byte(at);
    const std::size_t more = lead < 0x80 ? 0 : lead < 0xc2 ? 4 : lead < 0xe0 ? 1 : lead < 0xf0 ? 2
                             : lead < 0xf5 ? 3 : 4;
    if (more == 4 || text.size() - at <= more)
      return false;
    for (std::size_t i = 1; i <= more; ++i)
      if ((byte(at + i) & 0xc0) != 0x80)
        return false;
    const unsigned second = more > 0 ? byte(at + 1) : 0;
    if ((lead == 0xe0 && second < 0xa0) || (lead == 0xed && second > 0x9f)
        || (lead == 0xf0 && second < 0x90) || (lead == 0xf4 && second > 0x8f))
      return false;
    at += more + 1;
  }
  return true;
}

} // namespace muster::rules
