#pragma once
// Which devices an administrator means: names, globs, `os:debian`, `state:silent`,
// `status:warning`, `keep:on`, `id:...`, `group:eu/berlin`, `tag:laptop`.

#include "actors/rules/device_state.hpp"
#include "actors/rules/device_status.hpp"
#include "actors/rules/ids.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace muster::rules {

/// What a target is compared with. Views into the directory's record.
struct device_traits {
  std::string_view name;
  std::string_view os_id;
  std::string_view os_name;
  device_id device;
  device_state state = device_state::never;
  device_status status = device_status::ok;
  bool keep = false;
  std::string_view group = {};                ///< path in the group tree; empty: the root
  std::span<const std::string_view> tags = {};
};

/// Kinds of terms, to say which of them a filter may have.
struct filter_kinds {
  bool name = false, os = false, state = false, status = false, keep = false, id = false,
       group = false, tag = false;
};

/// A parsed target. Terms divided by spaces must all hold; inside a term, alternatives divided by
/// commas: `os:debian state:silent,never web-*`. A term without a prefix is a name; `*` and `?` are
/// wildcards; letter case does not count. `group:` means the group and all below it; `group:/` is the
/// whole tree. The empty target is every device.
class device_filter {
public:
  static constexpr std::size_t target_bytes_max = 1024;
  static constexpr std::size_t alternatives_max = 64;

  /// Empty with a sentence in `problem` when the text is no target.
  [[nodiscard]] static std::optional<device_filter> parse(std::string_view target,
                                                          std::string& problem);
  [[nodiscard]] bool matches(const device_traits& device) const;
  /// As it was written, with single spaces.
  [[nodiscard]] const std::string& text() const noexcept { return text_; }
  /// Which kinds of terms it has.
  [[nodiscard]] filter_kinds kinds() const noexcept;

private:
  enum class trait : std::uint8_t { name, os, state, status, keep, id, group, tag };
  struct alternative {
    trait what = trait::name;
    std::string pattern; ///< lower case
    device_state state = device_state::never;
    device_status status = device_status::ok;
    bool keep = false;
  };
  using term = std::vector<alternative>;

  [[nodiscard]] static bool holds(const alternative& a, const device_traits& device);
  /// Reads what the pattern of some traits must be one of.
  [[nodiscard]] static bool read_word(alternative& a, std::string& problem);
  [[nodiscard]] bool add_term(std::string_view text, std::string& problem);

  std::string text_;
  std::vector<term> terms_;
};

/// Whether the group at `path` is `pattern` or below it: "eu" means "eu/berlin", and so does "*/berlin"
/// or "e?". `pattern` must be in lower case and without slashes at its ends; when empty, it is the root.
[[nodiscard]] bool group_matches(std::string_view pattern, std::string_view path) noexcept;

/// `*` any run, `?` any one character; ASCII letter case does not count. `pattern` must be in lower
/// case. O(pattern x text) at worst.
[[nodiscard]] bool glob_matches(std::string_view pattern, std::string_view text) noexcept;

} // namespace muster::rules
