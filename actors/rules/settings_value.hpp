#pragma once
// Settings of an application as a tree of values: what a policy says, what travels to a device, what
// a daemon's file is written from.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace muster::rules {

/// Bounds of a document. Every reader of text or bytes refuses what is beyond them; whoever builds a
/// document in code asks `problem_with`.
namespace settings_limits {
inline constexpr std::size_t depth_max = 32; ///< a document that is one word has depth 1
inline constexpr std::size_t nodes_max = 20'000;
inline constexpr std::size_t bytes_max = 256 * 1024; ///< of the canonical bytes
inline constexpr std::size_t name_bytes_max = 256;
} // namespace settings_limits

enum class value_kind : std::uint8_t { null, boolean, integer, real, text, list, map };

struct settings_entry;

/// One value, by itself or with everything below it. A plain value type: copied deeply, compared
/// deeply, moved cheaply, no thread of its own. Kinds do not mix: 1 and 1.0 differ. A real is finite
/// and never -0. Texts and names are UTF-8. Names in a map are in the order of their bytes, each once.
class settings_value {
public:
  using list = std::vector<settings_value>;
  using map = std::vector<settings_entry>;

  settings_value() noexcept;
  settings_value(std::nullptr_t) noexcept;
  settings_value(bool value) noexcept;
  settings_value(std::int64_t value) noexcept;
  settings_value(int value) noexcept;
  /// What is not finite becomes null.
  settings_value(double value) noexcept;
  settings_value(std::string value) noexcept;
  settings_value(const char* value);
  settings_value(list items) noexcept;
  /// Any other pointer would pass for true.
  template <class T>
  settings_value(T*) = delete;

  /// An empty map: what a document begins as.
  [[nodiscard]] static settings_value empty_map();
  [[nodiscard]] static settings_value empty_list();
  /// A map of entries in any order. When a name comes twice it is put into `twice`, and the later
  /// entry is left out. O(n log n), which entry by entry it is not.
  [[nodiscard]] static settings_value map_of(map entries, std::string& twice);

  settings_value(const settings_value& other);
  settings_value(settings_value&& other) noexcept;
  settings_value& operator=(const settings_value& other);
  settings_value& operator=(settings_value&& other) noexcept;
  ~settings_value();

  [[nodiscard]] value_kind kind() const noexcept { return static_cast<value_kind>(value_.index()); }
  [[nodiscard]] bool is_map() const noexcept { return kind() == value_kind::map; }
  [[nodiscard]] bool is_list() const noexcept { return kind() == value_kind::list; }

  /// Null pointers when the value is of another kind.
  [[nodiscard]] const bool* as_boolean() const noexcept { return std::get_if<bool>(&value_); }
  [[nodiscard]] const std::int64_t* as_integer() const noexcept {
    return std::get_if<std::int64_t>(&value_);
  }
  [[nodiscard]] const double* as_real() const noexcept { return std::get_if<double>(&value_); }
  [[nodiscard]] const std::string* as_text() const noexcept {
    return std::get_if<std::string>(&value_);
  }
  [[nodiscard]] const list* as_list() const noexcept { return std::get_if<list>(&value_); }
  [[nodiscard]] list* as_list() noexcept { return std::get_if<list>(&value_); }
  /// In the order of the names.
  [[nodiscard]] const map* as_map() const noexcept { return std::get_if<map>(&value_); }
  [[nodiscard]] map* as_map() noexcept { return std::get_if<map>(&value_); }

  /// What a map has under `name`; null when it has nothing, or this is no map.
  [[nodiscard]] const settings_value* find(std::string_view name) const noexcept;
  [[nodiscard]] settings_value* find(std::string_view name) noexcept;
  /// Puts `value` under `name`, in place of what was there. This must be a map.
  settings_value& set(std::string_view name, settings_value value);
  /// False when there was nothing under `name`.
  bool erase(std::string_view name);

  friend bool operator==(const settings_value& a, const settings_value& b) noexcept;

private:
  std::variant<std::monostate, bool, std::int64_t, double, std::string, list, map> value_;
};

struct settings_entry {
  std::string name;
  settings_value value;
  friend bool operator==(const settings_entry&, const settings_entry&) noexcept = default;
};

/// A document is a map; one that has nothing to say is an empty one.
using settings_document = settings_value;

struct settings_size {
  std::size_t depth = 0;
  std::size_t nodes = 0; ///< values, the one on top included
  std::size_t bytes = 0; ///< of the canonical form
};

[[nodiscard]] settings_size size_of(const settings_value& value) noexcept;

/// Empty when the value keeps to `settings_limits` and all its text is UTF-8; else a clause such as
/// "it is nested deeper than 32".
[[nodiscard]] std::string problem_with(const settings_value& value);

/// "null", "true or false", "a whole number", "a number", "a text", "a list", "a map".
[[nodiscard]] std::string_view name_of(value_kind kind) noexcept;

/// Well-formed, shortest-form UTF-8 without surrogates.
[[nodiscard]] bool is_utf8(std::string_view text) noexcept;

} // namespace muster::rules
