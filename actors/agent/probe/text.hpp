#pragma once
// Reading the small text files of a Linux machine: bounded, without exceptions, nothing assumed.

#include <charconv>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

namespace muster::actors::probe {

/// What one file may bring into memory; anything longer is cut at this length.
inline constexpr std::size_t small_file_bytes_max = 1024 * 1024;

/// The file's first bytes. Empty when it cannot be read: a probe leaves out what it cannot see.
[[nodiscard]] std::string read_file(const std::filesystem::path& path,
                                    std::size_t bytes_max = small_file_bytes_max);

/// Without blanks, tabs, line ends and zero bytes at both ends.
[[nodiscard]] std::string_view trim(std::string_view text);

/// Takes the next line off the front of `rest` (a cut last line counts). False at the end.
[[nodiscard]] bool take_line(std::string_view& rest, std::string_view& line);

/// Takes the next word (separated by blanks and tabs) off the front of `rest`. Empty at the end.
[[nodiscard]] std::string_view take_word(std::string_view& rest);

/// The decimal number at the front; empty when there is none or it does not fit.
template <class Number>
[[nodiscard]] std::optional<Number> number(std::string_view text) {
  Number out{};
  const auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), out);
  if (ec != std::errc{} || end == text.data())
    return std::nullopt;
  return out;
}

/// What protobuf takes as a string: bytes that are not UTF-8 are replaced by `?`, the length is cut
/// at a character's edge.
[[nodiscard]] std::string clean(std::string_view text, std::size_t bytes_max = 256);

} // namespace muster::actors::probe
