#pragma once
// YAML, as much of it as settings and fleet documents need, with the line of everything.

#include "actors/rules/settings_value.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace muster::rules {

struct yaml_entry;

/// A value and where it stands. A list has items, a map entries (each name once, as they stand in
/// the text), everything else a scalar.
struct yaml_node {
  std::size_t line = 0; ///< counted from 1
  value_kind kind = value_kind::null;
  settings_value scalar;
  std::vector<yaml_node> items;
  std::vector<yaml_entry> entries;

  /// Null when this is no map, or has no such name.
  [[nodiscard]] const yaml_node* find(std::string_view name) const noexcept;
  /// Without the lines.
  [[nodiscard]] settings_value value() const;
};

struct yaml_entry {
  std::string name;
  std::size_t line = 0;
  yaml_node value;
};

/// A mistake in a text.
struct text_problem {
  std::size_t line = 0; ///< 0: none in particular
  std::string what;
  friend bool operator==(const text_problem&, const text_problem&) = default;
};

namespace yaml_limits {
inline constexpr std::size_t bytes_max = 1024 * 1024; ///< the library takes a second or two for it
inline constexpr std::size_t documents_max = 10'000;
inline constexpr std::size_t nodes_max = 400'000; ///< of all documents together
} // namespace yaml_limits

/// The documents of a text, divided by `---`; empty ones are left out. Each keeps to the depth of
/// `settings_limits`. Empty with what is wrong otherwise.
///
/// Taken: maps, lists, plain and quoted scalars, blocks. Refused, each by name: anchors and aliases
/// (with which a short text becomes an endless one), tags but !!str, merge keys, a name twice.
/// Plain scalars: `null`, `~` and nothing are null; `true` and `false` are what they say (`yes`,
/// `on` and `off` are texts); whole numbers and numbers with a point or exponent are numbers. What
/// begins with a zero and goes on with digits, such as a file mode, is a text.
[[nodiscard]] std::optional<std::vector<yaml_node>> read_yaml(std::string_view text,
                                                              text_problem& problem);

/// In blocks, two spaces a level, in the order of names; texts in quotes only where needed, texts
/// of several lines as blocks where they can be. Read back it is the same value. Ends with a
/// newline.
[[nodiscard]] std::string to_yaml(const settings_value& value);

/// One document as settings.
[[nodiscard]] std::optional<settings_value> settings_from_yaml(std::string_view text,
                                                               text_problem& problem);

/// What a plain scalar means; what is none of the above is a text. Empty: a number that cannot be
/// one of ours (too large, .inf, .nan).
[[nodiscard]] std::optional<settings_value> plain_scalar(std::string_view text);

} // namespace muster::rules
