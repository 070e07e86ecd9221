#pragma once
// Where a value stands in a settings document, as people write it: `server.listen[0].port`.

#include "actors/rules/settings_value.hpp"

#include <compare>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace muster::rules {

/// Into a map by name, or into a list by number.
struct settings_step {
  std::string name; ///< of a map's entry; a list's item has none
  std::uint32_t index = 0;
  bool in_list = false;

  friend auto operator<=>(const settings_step&, const settings_step&) = default;
};

/// The empty path is the whole document.
///
///     path := "" | first (("." name) | index)*      first := name | index
///     name := bare | quoted                         index := "[" digits "]"
///     bare := one or more characters but . [ ] " \ space and control characters
///     quoted := '"' (character | \" | \\ | \n | \t | \xHH)* '"'
///
/// `log."a.b"[2]` is item 2 of "a.b" of "log"; `""` in quotes is the empty name.
class settings_path {
public:
  static constexpr std::size_t text_bytes_max = 4096;

  settings_path() = default;
  explicit settings_path(std::vector<settings_step> steps) : steps_(std::move(steps)) {}

  /// Empty with a clause in `problem` when the text is no path, or a longer one than a document can
  /// have (`settings_limits`).
  [[nodiscard]] static std::optional<settings_path> parse(std::string_view text,
                                                          std::string& problem);
  /// Quotes only where needed: parse(p.text()) == p.
  [[nodiscard]] std::string text() const;

  [[nodiscard]] const std::vector<settings_step>& steps() const noexcept { return steps_; }
  [[nodiscard]] bool empty() const noexcept { return steps_.empty(); }
  /// Whether a list is entered on the way. Merging takes lists as wholes, so locks have none.
  [[nodiscard]] bool enters_list() const noexcept;
  /// Whether this is `other`, or `other` is somewhere below it.
  [[nodiscard]] bool covers(const settings_path& other) const noexcept;

  [[nodiscard]] settings_path below(std::string_view name) const;
  [[nodiscard]] settings_path below(std::size_t index) const;

  friend auto operator<=>(const settings_path&, const settings_path&) = default;

private:
  std::vector<settings_step> steps_;
};

/// What stands there; null when nothing does.
[[nodiscard]] const settings_value* value_at(const settings_value& document,
                                             const settings_path& path) noexcept;

/// Puts a value there and makes the maps on the way; items of lists must be there already. False,
/// with a clause in `problem` and the document unchanged, when something else is in the way or the
/// result would be beyond `settings_limits`.
[[nodiscard]] bool set_at(settings_value& document, const settings_path& path,
                          settings_value value, std::string& problem);

/// Takes it away; maps that are left empty stay. False when there was nothing, or for the document
/// itself.
bool erase_at(settings_value& document, const settings_path& path);

} // namespace muster::rules
