#pragma once
// The pieces of settings_file that need no format of their own. Not for others.

#include "actors/rules/settings_file.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace muster::rules::files {

/// No control character in it and no space at either end.
[[nodiscard]] bool is_one_line(std::string_view text) noexcept;

/// Whether a name can stand in front of a value, and be told from it, from a comment and a section.
[[nodiscard]] bool is_directive(std::string_view name, const settings_file_style& style) noexcept;

/// A scalar as these files have it; null is empty.
[[nodiscard]] std::string scalar_text(const settings_value& value, flag_words flags);

/// Of ini and lines.
[[nodiscard]] std::optional<settings_document>
read_directives(std::string_view text, const settings_file_style& style, text_problem& problem);

[[nodiscard]] std::optional<std::string> fill_template(const settings_document& document,
                                                       const settings_file_style& style,
                                                       std::string& problem);

} // namespace muster::rules::files
