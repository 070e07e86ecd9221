#include "actors/rules/settings_file.hpp"

#include "actors/rules/settings_file_parts.hpp"
#include "actors/rules/settings_json.hpp"

#include <algorithm>
#include <array>

namespace muster::rules {

namespace {

constexpr std::array<std::string_view, 5> format_names{"json", "yaml", "ini", "lines", "template"};
constexpr std::array<std::string_view, 5> flag_names{"true/false", "yes/no", "on/off", "1/0",
                                                     "bare"};

template <class Enum, std::size_t N>
std::optional<Enum> enum_of(const std::array<std::string_view, N>& names,
                            std::string_view name) noexcept {
  const auto at = std::find(names.begin(), names.end(), name);
  return at == names.end() ? std::nullopt : std::optional{static_cast<Enum>(at - names.begin())};
}

/// Writes files of names and values.
class directive_writer {
public:
  directive_writer(const settings_file_style& style, std::string& problem)
    : style_(style), problem_(problem) {}

  std::optional<std::string> run(const settings_document& document) {
    const bool ini = style_.format == settings_format::ini;
    for (const auto& entry : *document.as_map())
      if (!(ini && entry.value.is_map()) && !setting(entry.name, entry.value, {}))
        return std::nullopt;
    for (const auto& entry : *document.as_map())
      if (ini && entry.value.is_map() && !section(entry.name, entry.value))
        return std::nullopt;
    return std::move(out_);
  }

private:
  bool fail(const settings_path& at, std::string_view why) {
    problem_ = "'" + at.text() + "' " + std::string{why};
    return false;
  }

  bool section(const std::string& name, const settings_value& map) {
    const settings_path at = settings_path{}.below(name);
    if (name.empty() || name.find(']') != std::string::npos || !files::is_one_line(name))
      return fail(at, "cannot be the name of a section");
    out_ += (out_.empty() ? "[" : "\n[") + name + "]\n";
    for (const auto& entry : *map.as_map())
      if (!setting(entry.name, entry.value, at))
        return false;
    return true;
  }

  bool setting(const std::string& name, const settings_value& value, const settings_path& above) {
    const auto at = above.below(name);
    if (value.is_map())
      return fail(at, style_.format == settings_format::ini
                        ? "is a map in a map: an ini file has sections only"
                        : "is a map: a file of lines has none");
    if (!files::is_directive(name, style_))
      return fail(at, "cannot be a name in such a file");
    const auto* items = value.as_list();
    if (items == nullptr)
      return directive(name, value, at);
    for (std::size_t i = 0; i < items->size(); ++i)
      if (!directive(name, (*items)[i], at.below(i)))
        return false;
    return true;
  }

  bool directive(const std::string& name, const settings_value& value, const settings_path& at) {
    if (value.kind() == value_kind::null)
      return true;
    if (value.is_list() || value.is_map())
      return fail(at, "is a list or map in a list");
    if (const auto* flag = value.as_boolean();
        flag != nullptr && style_.flags == flag_words::bare) {
      if (*flag)
        (out_ += name) += '\n';
      return true;
    }
    const auto text = files::scalar_text(value, style_.flags);
    if (!files::is_one_line(text))
      return fail(at, "has an end of line, another control character or a space at an end");
    out_ += name;
    if (!text.empty() || style_.format == settings_format::ini)
      (out_ += style_.separator) += text;
    out_ += '\n';
    return true;
  }

  const settings_file_style& style_;
  std::string& problem_;
  std::string out_;
};

} // namespace

std::string_view name_of(settings_format format) noexcept {
  return format_names[static_cast<std::size_t>(format)];
}

std::optional<settings_format> settings_format_of(std::string_view name) noexcept {
  return enum_of<settings_format>(format_names, name);
}

std::string_view name_of(flag_words words) noexcept {
  return flag_names[static_cast<std::size_t>(words)];
}

std::optional<flag_words> flag_words_of(std::string_view name) noexcept {
  return enum_of<flag_words>(flag_names, name);
}

std::optional<std::string> write_settings(const settings_document& document,
                                          const settings_file_style& style, std::string& problem) {
  if (!document.is_map()) {
    problem = "a document is a map";
    return std::nullopt;
  }
  std::optional<std::string> out;
  switch (style.format) {
  case settings_format::json:
    out = to_json(document, json_layout::indented);
    break;
  case settings_format::yaml:
    out = to_yaml(document);
    break;
  case settings_format::ini:
  case settings_format::lines:
    out = directive_writer{style, problem}.run(document);
    break;
  case settings_format::filled:
    out = files::fill_template(document, style, problem);
    break;
  }
  if (out && out->size() > settings_file_bytes_max) {
    problem = "the file would be larger than " + std::to_string(settings_file_bytes_max) + " bytes";
    return std::nullopt;
  }
  return out;
}

std::optional<settings_document>
read_settings(std::string_view text, const settings_file_style& style, text_problem& problem) {
  problem = {};
  if (text.size() > settings_file_bytes_max) {
    problem.what = "it is larger than " + std::to_string(settings_file_bytes_max) + " bytes";
    return std::nullopt;
  }
  std::optional<settings_document> out;
  switch (style.format) {
  case settings_format::json:
    out = settings_from_json(text, problem.what);
    break;
  case settings_format::yaml:
    out = settings_from_yaml(text, problem);
    break;
  case settings_format::ini:
  case settings_format::lines:
    out = files::read_directives(text, style, problem);
    break;
  case settings_format::filled:
    problem.what = "a filled template cannot be read back";
    break;
  }
  if (out && !out->is_map())
    problem.what = "it is " + std::string{name_of(out->kind())} + ", not a map of settings";
  else if (out)
    problem.what = problem_with(*out);
  return problem.what.empty() ? std::move(out) : std::nullopt;
}

std::optional<std::vector<settings_change>> drift(const settings_document& document,
                                                  std::string_view text,
                                                  const settings_file_style& style,
                                                  text_problem& problem) {
  const auto written = write_settings(document, style, problem.what);
  const auto ours = written ? read_settings(*written, style, problem) : std::nullopt;
  const auto theirs = ours ? read_settings(text, style, problem) : std::nullopt;
  return theirs ? std::optional{difference(*ours, *theirs)} : std::nullopt;
}

} // namespace muster::rules
