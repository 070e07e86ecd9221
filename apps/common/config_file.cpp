#include "apps/common/config_file.hpp"

#include "apps/common/closest.hpp"

#include <toml++/toml.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <fstream>
#include <iterator>
#include <optional>

namespace muster::config {

namespace {

constexpr std::size_t shown_bytes_max = 60;

std::string shortened(std::string text) {
  if (text.size() <= shown_bytes_max)
    return text;
  // Not in the middle of a character.
  std::size_t end = shown_bytes_max;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80)
    --end;
  return text.substr(0, end) + "...";
}

std::string shown(const raw_value& value) {
  if (const auto* flag = std::get_if<bool>(&value))
    return *flag ? "true" : "false";
  if (const auto* number = std::get_if<std::int64_t>(&value))
    return std::to_string(*number);
  if (const auto* number = std::get_if<double>(&value))
    return std::to_string(*number);
  return in_quotes(shortened(std::get<std::string>(value)));
}

std::string must_be(const setting& s, const std::string& what) {
  return "must be " + s.kind + ", not " + what;
}

struct found_problem {
  std::size_t line;
  std::string text;
};

/// Walks a parsed file and hands its values to the table.
class reader {
public:
  reader(std::string file, table& settings) : file_(std::move(file)), settings_(settings) {}

  void read(const toml::table& from, const std::string& prefix) {
    for (const auto& [key, node] : from) {
      const auto name = prefix + std::string(key.str());
      auto* s = settings_.find(name);
      if (const auto* below = node.as_table())
        read_table(*below, name, s, line_of(node, key));
      else if (s != nullptr)
        assign(*s, node, line_of(node, key));
      else if (settings_.is_section(name))
        add(line_of(node, key), "'" + shown_key(name) + "' is a section: write [" + name + "]");
      else
        unknown("setting", name, line_of(node, key));
    }
  }

  std::vector<std::string> problems() {
    std::stable_sort(found_.begin(), found_.end(),
                     [](const auto& a, const auto& b) { return a.line < b.line; });
    std::vector<std::string> lines;
    for (const auto& problem : found_) {
      if (lines.size() == problems_max) {
        lines.push_back(file_ + ": and " + std::to_string(found_.size() - problems_max) + " more");
        break;
      }
      lines.push_back(place(problem.line) + ": " + problem.text);
    }
    return lines;
  }

private:
  static std::size_t line_of(const toml::node& node, const toml::key& key) {
    const auto line = key.source().begin.line;
    return line != 0 ? line : node.source().begin.line;
  }

  static std::string shown_key(const std::string& name) {
    const auto text = in_quotes(shortened(name));
    return text.substr(1, text.size() - 2);
  }

  std::string place(std::size_t line) const { return file_ + ":" + std::to_string(line); }

  void add(std::size_t line, std::string text) { found_.push_back({line, std::move(text)}); }

  void unknown(const std::string& what, const std::string& name, std::size_t line) {
    add(line,
        "unknown " + what + " '" + shown_key(name) + "'" + did_you_mean(name, settings_.keys()));
  }

  void read_table(const toml::table& from, const std::string& name, setting* s, std::size_t line) {
    if (s != nullptr)
      add(line, "'" + name + "' " + must_be(*s, "a section"));
    else if (from.empty() && !settings_.is_section(name))
      unknown("section", name, line);
    else
      read(from, name + ".");
  }

  void assign(setting& s, const toml::node& node, std::size_t line) {
    std::optional<raw_value> value;
    if (const auto* flag = node.as_boolean())
      value = flag->get();
    else if (const auto* number = node.as_integer())
      value = number->get();
    else if (const auto* real = node.as_floating_point())
      value = real->get();
    else if (const auto* text = node.as_string())
      value = text->get();
    if (!value)
      add(line, "'" + s.key + "' " + must_be(s, node.is_array() ? "a list" : "a date or time"));
    else if (!s.assign(*value))
      add(line, "'" + s.key + "' " + must_be(s, shown(*value)));
    else
      s.source = place(line);
  }

  std::string file_;
  table& settings_;
  std::vector<found_problem> found_;
};

/// The library's words, on one line.
std::string one_line(std::string_view text) {
  std::string line;
  for (const char c : text)
    line += static_cast<unsigned char>(c) < 0x20 || c == 0x7f ? ' ' : c;
  return line;
}

std::optional<raw_value> raw_of(form in_file, const std::string& text) {
  if (in_file == form::text)
    return text;
  if (in_file == form::boolean) {
    if (text == "true" || text == "false")
      return text == "true";
    return std::nullopt;
  }
  std::int64_t number = 0;
  const auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (ec != std::errc{} || end != text.data() + text.size())
    return std::nullopt;
  return number;
}

} // namespace

std::vector<std::string> read_text(std::string_view text, const std::string& file,
                                   table& settings) {
  if (text.size() > file_bytes_max)
    return {file + ": larger than a configuration file can be (1MB)"};
  reader r{file, settings};
  try {
    const auto parsed = toml::parse(text);
    r.read(parsed, "");
  } catch (const toml::parse_error& problem) {
    return {file + ":" + std::to_string(problem.source().begin.line) + ": " +
            one_line(problem.description())};
  }
  return r.problems();
}

std::vector<std::string> read_file(const std::filesystem::path& file, bool may_be_missing,
                                   table& settings) {
  std::error_code ec;
  if (std::filesystem::is_directory(file, ec))
    return {file.string() + ": is a directory, not a configuration file"};
  std::ifstream in(file, std::ios::binary);
  if (!in) {
    const int cause = errno;
    if (may_be_missing && cause == ENOENT)
      return {};
    return {file.string() + ": cannot be read: " + std::strerror(cause)};
  }
  std::string text(file_bytes_max + 1, '\0');
  in.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<std::size_t>(in.gcount()));
  if (in.bad())
    return {file.string() + ": cannot be read"};
  return read_text(text, file.string(), settings);
}

std::string assign_text(setting& s, const std::string& text, const std::string& source) {
  const auto value = raw_of(s.in_file, text);
  if (!value || !s.assign(*value))
    return source + ": " +
           must_be(s, s.in_file == form::text ? in_quotes(shortened(text)) : shortened(text));
  s.source = source;
  return {};
}

} // namespace muster::config
