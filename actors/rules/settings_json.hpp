#pragma once
// Settings values as JSON, for the API, for people, and for daemons that want it.

#include "actors/rules/settings_value.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace muster::rules {

enum class json_layout : std::uint8_t {
  compact,  ///< one line, no spaces
  indented, ///< two spaces a level, a last newline: for files and people
};

/// Names in the order of their bytes, so that equal values give equal text. A real has a point or an
/// exponent, so that it comes back as a real.
[[nodiscard]] std::string to_json(const settings_value& value,
                                  json_layout layout = json_layout::compact);

/// RFC 8259, nothing more: no comments. Empty with a clause in `problem` ("line 3: ..." where the text
/// is no JSON) when it is none, a name comes twice, a number does not fit 64 bits, or it is beyond
/// `settings_limits`.
[[nodiscard]] std::optional<settings_value> settings_from_json(std::string_view text,
                                                               std::string& problem);

/// A text is larger than the bytes it stands for, but not without bound.
inline constexpr std::size_t json_bytes_max = 4 * settings_limits::bytes_max;

} // namespace muster::rules
