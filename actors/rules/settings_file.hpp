#pragma once
// Settings as a daemon's file has them, in whichever of a few forms it understands.

#include "actors/rules/settings_diff.hpp"
#include "actors/rules/settings_value.hpp"
#include "actors/rules/settings_yaml.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace muster::rules {

enum class settings_format : std::uint8_t {
  json,
  yaml,
  ini,   ///< `name = value`; a map on top is a [section], a list a line for each item
  lines, ///< `name value`: one directive a line, a list a line for each item; no maps
  filled ///< a template
};

/// How true and false are written where the format has no words of its own for them.
enum class flag_words : std::uint8_t {
  true_false,
  yes_no,
  on_off,
  one_zero,
  bare ///< true: the name alone; false: nothing
};

struct settings_file_style {
  settings_format format = settings_format::json;
  flag_words flags = flag_words::true_false; ///< of ini, lines and filled
  std::string separator = " ";               ///< of ini and lines, between name and value
  /// The text of a template. `{{ path }}` stands for the value there; a line whose value is missing
  /// or null is left out, and one whose value is a list is there once for each item.
  std::string pattern{};
  friend bool operator==(const settings_file_style&, const settings_file_style&) = default;
};

inline constexpr std::size_t settings_file_bytes_max = 1024 * 1024;

[[nodiscard]] std::string_view name_of(settings_format format) noexcept; ///< "template" for filled
[[nodiscard]] std::optional<settings_format> settings_format_of(std::string_view name) noexcept;
[[nodiscard]] std::string_view name_of(flag_words words) noexcept; ///< "yes/no"
[[nodiscard]] std::optional<flag_words> flag_words_of(std::string_view name) noexcept;

/// The whole text of the file. Null is written by JSON and YAML only; elsewhere it means: say
/// nothing. Empty with a clause in `problem` that names the setting when the format cannot say it:
/// a map in a map in ini, a line's end in a value, and so on. What is written can have no second
/// meaning: no value makes a line of its own.
[[nodiscard]] std::optional<std::string> write_settings(const settings_document& document,
                                                        const settings_file_style& style,
                                                        std::string& problem);

/// The other way. ini and lines know no kinds: all values are texts (true for a bare name), and a
/// name that comes again is a list. Comments begin with `#` or `;`. A template cannot be read.
[[nodiscard]] std::optional<settings_document>
read_settings(std::string_view text, const settings_file_style& style, text_problem& problem);

/// What is other in a daemon's file than `document` would have it: `before` is ours, `after` the
/// file's. Compared as the format says it, so that 1 and "1" in an ini file are the same.
[[nodiscard]] std::optional<std::vector<settings_change>> drift(const settings_document& document,
                                                                std::string_view text,
                                                                const settings_file_style& style,
                                                                text_problem& problem);

/// Empty, or what is wrong with the text of a template.
[[nodiscard]] std::optional<text_problem> template_problem(std::string_view pattern);

} // namespace muster::rules
