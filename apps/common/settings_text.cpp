#include "apps/common/settings_table.hpp"

#include <algorithm>
#include <cstdio>

namespace muster::config {

namespace {

constexpr std::size_t comment_width = 98;

/// Words wrapped into comment lines.
std::string comment(std::string_view text) {
  std::string lines;
  std::string line = "#";
  while (!text.empty()) {
    const auto end = std::min(text.find(' '), text.size());
    const auto word = text.substr(0, end);
    if (line.size() > 1 && line.size() + 1 + word.size() > comment_width) {
      lines += line + "\n";
      line = "#";
    }
    line += ' ';
    line += word;
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return lines + line + "\n";
}

std::string sentence(std::string text) {
  if (!text.empty() && text.front() >= 'a' && text.front() <= 'z')
    text.front() = static_cast<char>(text.front() - 'a' + 'A');
  return text + ".";
}

std::string section_of(std::string_view key) {
  const auto dot = key.rfind('.');
  return dot == std::string_view::npos ? std::string{} : std::string(key.substr(0, dot));
}

std::string one_setting(const setting& s) {
  const auto dot = s.key.rfind('.');
  const auto name = dot == std::string::npos ? s.key : s.key.substr(dot + 1);
  const bool obvious = s.kind == "a path" || s.kind == "a text" || s.kind == "true or false";
  return "\n" + comment(sentence(s.help) + (obvious ? "" : " " + sentence(s.kind))) + "#" + name +
         " = " + s.default_text + "\n";
}

} // namespace

std::string in_quotes(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (byte < 0x20 || byte == 0x7f) {
      char escape[8];
      std::snprintf(escape, sizeof escape, "\\u%04x", static_cast<unsigned>(byte));
      out += escape;
    } else {
      out += c;
    }
  }
  return out + '"';
}

std::string example(const table& settings, std::string_view about) {
  std::string text =
    comment(about) +
    "# Every line shows its default; take the '#' away to change it. A flag overrides its line.\n";
  std::vector<std::string> sections;
  for (const auto& s : settings.all()) {
    const auto section = section_of(s.key);
    if (std::find(sections.begin(), sections.end(), section) == sections.end())
      sections.push_back(section);
  }
  // Keys without a section must stand before the first one.
  std::stable_partition(sections.begin(), sections.end(), [](const auto& s) { return s.empty(); });
  for (const auto& section : sections) {
    if (!section.empty())
      text += "\n[" + section + "]\n";
    for (const auto& s : settings.all())
      if (section_of(s.key) == section)
        text += one_setting(s);
  }
  return text;
}

std::string effective(const table& settings) {
  std::size_t key_width = 0;
  std::size_t value_width = 0;
  for (const auto& s : settings.all()) {
    key_width = std::max(key_width, s.key.size());
    value_width = std::max(value_width, s.show().size());
  }
  std::string text;
  for (const auto& s : settings.all()) {
    auto value = s.show();
    value.resize(value_width, ' ');
    auto key = s.key;
    key.resize(key_width, ' ');
    text += key + " = " + value + "  # " + s.source + "\n";
  }
  return text;
}

} // namespace muster::config
