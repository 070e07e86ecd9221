#include "actors/rules/settings_file_parts.hpp"

#include "actors/rules/settings_json.hpp"

#include <algorithm>
#include <map>
#include <tuple>

namespace muster::rules {

namespace {

bool is_space(char c) noexcept {
  return c == ' ' || c == '\t';
}

std::string_view trimmed(std::string_view text) noexcept {
  while (!text.empty() && (is_space(text.back()) || text.back() == '\r'))
    text.remove_suffix(1);
  while (!text.empty() && is_space(text.front()))
    text.remove_prefix(1);
  return text;
}

std::string_view cut_line(std::string_view& rest) noexcept {
  const auto end = rest.find('\n');
  const auto line = rest.substr(0, end);
  rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
  return line;
}

bool has_control(std::string_view text) noexcept {
  return std::any_of(text.begin(), text.end(), [](char c) {
    return (static_cast<unsigned char>(c) < 0x20 && c != '\t') || c == 0x7f;
  });
}

/// Where a line's name ends and its value begins; npos: it has no value.
std::pair<std::size_t, std::size_t> divide(std::string_view line,
                                           const settings_file_style& style) noexcept {
  const auto word = trimmed(style.separator);
  const auto end = word.empty() ? line.find_first_of(" \t") : line.find(word);
  if (end == std::string_view::npos)
    return {line.size(), std::string_view::npos};
  return {end, end + std::max<std::size_t>(word.size(), 1)};
}

/// A piece of a template's line: text, or a path to fill in.
struct piece {
  std::string_view text;
  std::optional<settings_path> path;
};

std::optional<std::vector<piece>> pieces_of(std::string_view line, std::string& problem) {
  std::vector<piece> out;
  while (!line.empty()) {
    const auto open = line.find("{{");
    if (open > 0)
      out.push_back({line.substr(0, open), std::nullopt});
    if (open == std::string_view::npos)
      break;
    const auto close = line.find("}}", open);
    if (close == std::string_view::npos) {
      problem = "'{{' has no '}}' in its line";
      return std::nullopt;
    }
    const auto text = trimmed(line.substr(open + 2, close - open - 2));
    auto path = settings_path::parse(text, problem);
    if (path && path->empty())
      problem = "nothing stands between '{{' and '}}'";
    if (!path || path->empty())
      return std::nullopt;
    out.push_back({text, std::move(*path)});
    line.remove_prefix(close + 2);
  }
  return out;
}

/// Appends one line for each item of the list in it, one if there is none.
class line_filler {
public:
  line_filler(const settings_document& document, flag_words flags, std::string& problem)
    : document_(document), flags_(flags), problem_(problem) {}

  bool fill(const std::vector<piece>& pieces, std::string& out) {
    const settings_value::list* items = nullptr;
    for (const auto& p : pieces) {
      if (!p.path)
        continue;
      const auto* value = value_at(document_, *p.path);
      if (value == nullptr || value->kind() == value_kind::null)
        return true;
      if (value->is_list() && items != nullptr)
        return fail(p, "is a second list in one line of the template");
      if (value->is_list())
        items = value->as_list();
    }
    for (std::size_t i = 0; i < (items == nullptr ? 1 : items->size()); ++i) {
      for (const auto& p : pieces)
        if (!append(p, i, out))
          return false;
      out += '\n';
    }
    return true;
  }

private:
  bool fail(const piece& p, std::string_view why) {
    problem_ = "'" + p.path->text() + "' " + std::string{why};
    return false;
  }

  bool append(const piece& p, std::size_t item, std::string& out) {
    if (!p.path) {
      out += p.text;
      return true;
    }
    const auto* value = value_at(document_, *p.path);
    if (value->is_list())
      value = &(*value->as_list())[item];
    if (value->is_list() || value->is_map())
      return fail(p, "is no single value, which a template needs");
    const auto text = files::scalar_text(*value, flags_);
    if (has_control(text))
      return fail(p, "has an end of line or another control character");
    out += text;
    return out.size() <= settings_file_bytes_max || fail(p, "makes the file too large");
  }

  const settings_document& document_;
  flag_words flags_;
  std::string& problem_;
};

} // namespace

namespace files {

bool is_one_line(std::string_view text) noexcept {
  return !has_control(text) && text.find('\t') == std::string_view::npos && trimmed(text) == text;
}

bool is_directive(std::string_view name, const settings_file_style& style) noexcept {
  if (name.empty() || !is_one_line(name) || name.front() == '#' || name.front() == ';' ||
      (name.front() == '[' && style.format == settings_format::ini))
    return false;
  return divide(name, style).second == std::string_view::npos;
}

std::string scalar_text(const settings_value& value, flag_words flags) {
  static constexpr std::pair<std::string_view, std::string_view> words[] = {
    {"true", "false"}, {"yes", "no"}, {"on", "off"}, {"1", "0"}, {"true", "false"}};
  if (const auto* flag = value.as_boolean()) {
    const auto& [yes, no] = words[static_cast<std::size_t>(flags)];
    return std::string{*flag ? yes : no};
  }
  if (const auto* text = value.as_text())
    return *text;
  return value.kind() == value_kind::null ? std::string{} : to_json(value);
}

std::optional<settings_document>
read_directives(std::string_view text, const settings_file_style& style, text_problem& problem) {
  // By section and name; sections and names that come again go on with what is there.
  std::map<std::string, std::map<std::string, settings_value::list>, std::less<>> sections;
  auto* here = &sections[""];
  const auto fail = [&](std::size_t line, std::string_view why) {
    problem = {line, std::string{why}};
    return std::nullopt;
  };
  const bool ini = style.format == settings_format::ini;
  for (std::size_t number = 1; !text.empty(); ++number) {
    const auto line = trimmed(cut_line(text));
    if (line.empty() || line.front() == '#' || line.front() == ';')
      continue;
    if (has_control(line) || !is_utf8(line))
      return fail(number, "there is a control character, or it is not UTF-8");
    if (ini && line.front() == '[') {
      const auto name = line.substr(1, line.size() - 2);
      if (line.back() != ']' || name.empty() || name.find(']') != std::string_view::npos)
        return fail(number, "a section is written [name]");
      here = &sections[std::string{name}];
      continue;
    }
    const auto [end, begin] = divide(line, style);
    const bool alone = begin == std::string_view::npos;
    const auto name = trimmed(line.substr(0, end));
    if (name.empty())
      return fail(number, "there is no name in front of the value");
    if (name.size() > settings_limits::name_bytes_max)
      return fail(number, "a name is too long");
    if (alone && ini && style.flags != flag_words::bare)
      return fail(number, "there is no '" + std::string{trimmed(style.separator)} + "' in it");
    const auto value = alone ? std::string_view{} : trimmed(line.substr(begin));
    (*here)[std::string{name}].push_back(alone && style.flags == flag_words::bare
                                           ? settings_value{true}
                                           : settings_value{std::string{value}});
  }
  auto out = settings_value::empty_map();
  for (auto& [section, names] : sections) {
    auto map = settings_value::empty_map();
    for (auto& [name, values] : names)
      map.set(name,
              values.size() == 1 ? std::move(values.front()) : settings_value{std::move(values)});
    if (section.empty())
      out = std::move(map);
    else if (out.find(section) != nullptr)
      return fail(0, "'" + section + "' is a setting and a section");
    else
      out.set(section, std::move(map));
  }
  return out;
}

std::optional<std::string> fill_template(const settings_document& document,
                                         const settings_file_style& style, std::string& problem) {
  std::string out;
  line_filler filler{document, style.flags, problem};
  std::string_view rest = style.pattern;
  while (!rest.empty()) {
    const auto pieces = pieces_of(cut_line(rest), problem);
    if (!pieces || !filler.fill(*pieces, out))
      return std::nullopt;
  }
  return out;
}

} // namespace files

std::optional<text_problem> template_problem(std::string_view pattern) {
  std::string problem;
  for (std::size_t line = 1; !pattern.empty(); ++line)
    if (!pieces_of(cut_line(pattern), problem))
      return text_problem{line, problem};
  return std::nullopt;
}

} // namespace muster::rules
