#pragma once
// UTF-8 from strangers: taken apart strictly (RFC 3629).

#include <optional>
#include <string>
#include <string_view>

namespace muster::utf8 {

/// Takes the character at the front of `text`, which must not be empty. Empty when it is malformed:
/// then one byte has been taken.
[[nodiscard]] std::optional<char32_t> take(std::string_view& text);

/// Neither shown nor harmless on a terminal: C0, C1, DEL, line separators, and the characters that
/// turn the direction of writing.
[[nodiscard]] bool is_control(char32_t c) noexcept;

/// Columns on a terminal: 0 for combining marks, 2 for wide East Asian characters and emoji.
[[nodiscard]] int columns(char32_t c) noexcept;

/// Columns of a text without control characters.
[[nodiscard]] std::size_t columns(std::string_view text);

/// What a person may safely be shown: control characters and malformed bytes become U+FFFD, line
/// breaks and tabulators a space.
[[nodiscard]] std::string clean(std::string_view text);

/// `text` (clean) in at most `width` columns; "…" ends it where something was cut off.
[[nodiscard]] std::string cut(std::string_view text, std::size_t width);

} // namespace muster::utf8
