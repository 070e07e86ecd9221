#include "actors/rules/node_reader.hpp"

#include <array>
#include <charconv>
#include <utility>

namespace muster::rules {

namespace {

constexpr std::array<std::pair<char, std::int64_t>, 4> duration_units{
  {{'d', 86'400}, {'h', 3'600}, {'m', 60}, {'s', 1}}};

/// A whole text as a number without a sign.
std::optional<std::int64_t> number_of(std::string_view text) noexcept {
  std::int64_t out = 0;
  const auto* end = text.data() + text.size();
  const auto [at, ec] = std::from_chars(text.data(), end, out);
  const bool good =
    ec == std::errc{} && at == end && !text.empty() && text.size() <= 12 && text[0] != '-';
  return good ? std::optional{out} : std::nullopt;
}

std::optional<std::int64_t> bytes_of(const settings_value& value) noexcept {
  if (const auto* number = value.as_integer())
    return *number;
  const auto* text = value.as_text();
  if (text == nullptr)
    return std::nullopt;
  for (const auto& [unit, factor] : {std::pair{"KB", 1'024}, std::pair{"MB", 1'024 * 1'024}})
    if (text->ends_with(unit))
      if (const auto number = number_of(std::string_view{*text}.substr(0, text->size() - 2)))
        return *number * factor;
  return std::nullopt;
}

} // namespace

node_reader::node_reader(const yaml_node& map, std::string where,
                         std::vector<text_problem>& problems)
  : map_(map), where_(std::move(where)), problems_(problems) {
  if (map.kind != value_kind::map && map.kind != value_kind::null)
    fail(map.line, where_ + " is a map");
}

const yaml_node* node_reader::take(std::string_view name) {
  known_.emplace(name);
  const auto* out = map_.find(name);
  return out != nullptr && out->kind != value_kind::null ? out : nullptr;
}

const yaml_node* node_reader::need(std::string_view name) {
  const auto* out = take(name);
  if (out == nullptr)
    fail(map_.line, place(name) + " is missing");
  return out;
}

void node_reader::text(std::string_view name, std::string& out, std::size_t bytes_max) {
  const auto* node = take(name);
  if (node == nullptr)
    return;
  const auto* text = node->scalar.as_text();
  if (text == nullptr || text->empty() || text->size() > bytes_max)
    fail(node->line, place(name) + " is a text of 1 to " + std::to_string(bytes_max) + " bytes");
  else
    out = *text;
}

void node_reader::flag(std::string_view name, bool& out) {
  const auto* node = take(name);
  if (node == nullptr)
    return;
  if (const auto* flag = node->scalar.as_boolean())
    out = *flag;
  else
    fail(node->line, place(name) + " is true or false");
}

void node_reader::number(std::string_view name, std::int64_t& out, std::int64_t least,
                         std::int64_t most) {
  const auto* node = take(name);
  if (node == nullptr)
    return;
  const auto* number = node->scalar.as_integer();
  if (number == nullptr || *number < least || *number > most)
    fail(node->line, place(name) + " is a whole number from " + std::to_string(least) + " to " +
                       std::to_string(most));
  else
    out = *number;
}

void node_reader::duration(std::string_view name, std::chrono::seconds& out,
                           std::chrono::seconds most) {
  const auto* node = take(name);
  if (node == nullptr)
    return;
  const auto* text = node->scalar.as_text();
  const auto time = text != nullptr ? duration_of(*text) : std::nullopt;
  if (!time || *time > most)
    fail(node->line,
         place(name) + " is a time such as 90s, 15m, 2h or 1d, at most " + duration_text(most));
  else
    out = *time;
}

void node_reader::bytes(std::string_view name, std::int64_t& out, std::int64_t most) {
  const auto* node = take(name);
  if (node == nullptr)
    return;
  const auto number = bytes_of(node->scalar);
  if (!number || *number < 1 || *number > most)
    fail(node->line,
         place(name) + " is a size such as 65536, 64KB or 1MB, at most " + std::to_string(most));
  else
    out = *number;
}

void node_reader::texts(std::string_view name, std::vector<std::string>& out, std::size_t items_max,
                        std::size_t bytes_max, bool may_be_empty) {
  const auto* node = take(name);
  if (node == nullptr)
    return;
  const bool one = node->kind == value_kind::text;
  if (!one &&
      (node->kind != value_kind::list || node->items.empty() || node->items.size() > items_max)) {
    fail(node->line, place(name) + " is a list of 1 to " + std::to_string(items_max) + " texts");
    return;
  }
  const auto add = [&](const yaml_node& item) {
    const auto* text = item.scalar.as_text();
    if (text == nullptr || (text->empty() && !may_be_empty) || text->size() > bytes_max)
      fail(item.line, "in " + place(name) + " is something that is no text of " +
                        (may_be_empty ? "0" : "1") + " to " + std::to_string(bytes_max) + " bytes");
    else
      out.push_back(*text);
  };
  if (one)
    add(*node);
  for (const auto& item : node->items)
    add(item);
}

void node_reader::paths(std::string_view name, std::vector<settings_path>& out,
                        std::size_t items_max) {
  const auto* node = take(name);
  if (node == nullptr)
    return;
  std::vector<std::string> all;
  const auto before = problems_.size();
  texts(name, all, items_max, settings_path::text_bytes_max, true); // "": the whole document
  if (problems_.size() > before)
    return;
  for (std::size_t i = 0; i < all.size(); ++i) {
    std::string problem;
    auto path = settings_path::parse(all[i], problem);
    if (path)
      out.push_back(std::move(*path));
    else
      fail(node->items.empty() ? node->line : node->items[i].line,
           "in " + place(name) + " '" + all[i] + "' is no path: " + problem);
  }
}

void node_reader::document(std::string_view name, settings_document& out) {
  const auto* node = take(name);
  if (node == nullptr)
    return;
  if (node->kind != value_kind::map) {
    fail(node->line, place(name) + " is a map of settings");
    return;
  }
  auto value = node->value();
  if (auto problem = problem_with(value); !problem.empty())
    fail(node->line, place(name) + ": " + problem);
  else
    out = std::move(value);
}

void node_reader::fail(std::size_t line, std::string what) {
  problems_.push_back({line, std::move(what)});
}

void node_reader::finish() {
  for (const auto& entry : map_.entries)
    if (!known_.contains(entry.name))
      fail(entry.line, where_ + " has no '" + entry.name + "'");
}

std::string node_reader::place(std::string_view name) const {
  return "'" + std::string{name} + "' of " + where_;
}

std::string duration_text(std::chrono::seconds time) {
  for (const auto& [unit, seconds] : duration_units)
    if (time.count() % seconds == 0 && time.count() != 0)
      return std::to_string(time.count() / seconds) + unit;
  return "0s";
}

std::optional<std::chrono::seconds> duration_of(std::string_view text) noexcept {
  for (const auto& [unit, seconds] : duration_units)
    if (text.ends_with(unit))
      if (const auto number = number_of(text.substr(0, text.size() - 1)))
        return std::chrono::seconds{*number * seconds};
  return std::nullopt;
}

yaml_node node_of(const settings_value& value) {
  yaml_node out;
  out.kind = value.kind();
  if (const auto* items = value.as_list()) {
    for (const auto& item : *items)
      out.items.push_back(node_of(item));
  } else if (const auto* entries = value.as_map()) {
    for (const auto& entry : *entries)
      out.entries.push_back({entry.name, 0, node_of(entry.value)});
  } else {
    out.scalar = value;
  }
  return out;
}

} // namespace muster::rules
