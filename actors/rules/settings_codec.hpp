#pragma once
// The one way to write a settings value as bytes: what is hashed, stored and sent.

#include "actors/rules/settings_value.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace muster::rules {

/// Equal values have equal bytes, and different ones different bytes: the SHA-256 of these (taken by
/// whoever has a hash function; rules have none) names a document.
///
///     document := 0x01 value
///     value    := 'n' | 'f' | 't' | 'i' number (zigzag) | 'r' 8 bytes IEEE 754, big endian
///               | 's' text | 'l' number value... | 'm' number (text value)...
///     text     := number bytes
///     number   := base 128, lowest group first, top bit says that more follow, shortest form
[[nodiscard]] std::string to_bytes(const settings_value& value);

/// Strict: takes only what `to_bytes` writes, within `settings_limits`. Empty with a clause in
/// `problem` otherwise.
[[nodiscard]] std::optional<settings_value> settings_from_bytes(std::string_view bytes,
                                                                std::string& problem);

/// The pieces of the format, for what embeds values in formats of its own (settings_patch).
namespace settings_codec {

inline constexpr std::size_t header_bytes = 1;

void put_number(std::string& out, std::uint64_t number);
void put_text(std::string& out, std::string_view text);
void put_value(std::string& out, const settings_value& value);

/// Bytes of a value without what is below it, and of a name in a map.
[[nodiscard]] std::size_t own_bytes(const settings_value& value) noexcept;
[[nodiscard]] std::size_t name_bytes(std::string_view name) noexcept;

/// Reads from the front of a view. Once something was wrong it stays failed, and `problem` says why.
class reader {
public:
  explicit reader(std::string_view bytes) noexcept : rest_(bytes) {}

  [[nodiscard]] std::optional<std::uint8_t> byte();
  [[nodiscard]] std::optional<std::uint64_t> number();
  /// A number of things each of which takes `bytes_each` at least: more than can follow is refused
  /// before anything is reserved.
  [[nodiscard]] std::optional<std::size_t> count(std::size_t bytes_each);
  [[nodiscard]] std::optional<std::string_view> text();
  /// A name in a map, at most `name_bytes_max` long.
  [[nodiscard]] std::optional<std::string_view> name();
  /// `depth` is that of the value itself; on top it is 1.
  [[nodiscard]] std::optional<settings_value> value(std::size_t depth);

  [[nodiscard]] bool at_end() const noexcept { return rest_.empty(); }
  [[nodiscard]] const std::string& problem() const noexcept { return problem_; }
  /// Keeps the first problem.
  std::nullopt_t fail(std::string_view why);

private:
  [[nodiscard]] std::optional<settings_value> list(std::size_t depth);
  [[nodiscard]] std::optional<settings_value> map(std::size_t depth);

  std::string_view rest_;
  std::size_t nodes_ = 0;
  std::string problem_;
};

} // namespace settings_codec

} // namespace muster::rules
