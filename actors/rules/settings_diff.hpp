#pragma once
// How two settings documents differ: for people as a list of paths, for the wire as a patch that is
// as small as the difference.

#include "actors/rules/settings_path.hpp"
#include "actors/rules/settings_value.hpp"

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace muster::rules {

/// One value that is not what it was. Maps are entered; lists of one length item by item, while a
/// list that became longer or shorter is one change. A map that came or went is one change.
struct settings_change {
  settings_path path;
  std::optional<settings_value> before; ///< empty: it is new
  std::optional<settings_value> after;  ///< empty: it is gone
  friend bool operator==(const settings_change&, const settings_change&) = default;
};

/// In the order of the documents.
[[nodiscard]] std::vector<settings_change> difference(const settings_value& before,
                                                      const settings_value& after);

/// What turns `before` into `after`: apply_patch(patch(a, b), a) == b. One changed setting costs its
/// path and its value, some dozens of bytes, whatever the size of the document. It does not name the
/// document it is for: whoever sends it sends the hashes of both beside it, and the receiver compares.
///
///     patch := 0x01 edit
///     edit  := '=' value                                       take this in place of all
///            | 'm' number (text ('-' | edit))...               in a map, names in order; '-': erase
///            | 'e' number (number edit)...                     in a list, these items, in order
///            | 'x' number number number value...               in a list: keep so many in front, take
///                                                              so many away, put these there
///            | '.'                                             nothing (only on top)
/// with number, text and value as in settings_codec.
[[nodiscard]] std::string patch(const settings_value& before, const settings_value& after);

/// A patch is never much larger than the document that it makes.
inline constexpr std::size_t patch_bytes_max = settings_limits::bytes_max + 1024;

/// Empty with a clause in `problem` when the bytes are no patch, do not fit `before`, or would make
/// something beyond `settings_limits`.
[[nodiscard]] std::optional<settings_value> apply_patch(std::string_view bytes,
                                                        const settings_value& before,
                                                        std::string& problem);

} // namespace muster::rules
