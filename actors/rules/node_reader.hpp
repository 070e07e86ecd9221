#pragma once
// Reads one map of a document strictly: what is asked for is read, what nobody asked for is a
// mistake.

#include "actors/rules/settings_path.hpp"
#include "actors/rules/settings_yaml.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

namespace muster::rules {

/// For one map while it is being read; the node must outlive it. Each mistake is added to
/// `problems` with its line, and reading goes on. Readers leave `out` alone when the name is not
/// there.
class node_reader {
public:
  /// `where` is what the map is called in problems: "spec".
  node_reader(const yaml_node& map, std::string where, std::vector<text_problem>& problems);

  /// Marks the name as known. Null when it is not there, or is null.
  const yaml_node* take(std::string_view name);
  /// The same, and its absence is a mistake.
  const yaml_node* need(std::string_view name);

  void text(std::string_view name, std::string& out, std::size_t bytes_max);
  void flag(std::string_view name, bool& out);
  void number(std::string_view name, std::int64_t& out, std::int64_t least, std::int64_t most);
  /// "90s", "15m", "2h", "1d"; 0 to `most`.
  void duration(std::string_view name, std::chrono::seconds& out, std::chrono::seconds most);
  /// A number of bytes, or "64KB", "1MB" (of 1024); 1 to `most`.
  void bytes(std::string_view name, std::int64_t& out, std::int64_t most);
  /// A list of texts, or one text in the place of a list of one. Whether a text may be empty is
  /// said.
  void texts(std::string_view name, std::vector<std::string>& out, std::size_t items_max,
             std::size_t bytes_max, bool may_be_empty = false);
  void paths(std::string_view name, std::vector<settings_path>& out, std::size_t items_max);
  /// A map of settings.
  void document(std::string_view name, settings_document& out);

  void fail(std::size_t line, std::string what);
  /// What was there and was not asked for. Call it last.
  void finish();
  [[nodiscard]] std::size_t line() const noexcept { return map_.line; }

private:
  std::string place(std::string_view name) const;

  const yaml_node& map_;
  std::string where_;
  std::vector<text_problem>& problems_;
  std::unordered_set<std::string> known_;
};

/// As `node_reader::duration` reads it, in the largest unit that fits.
[[nodiscard]] std::string duration_text(std::chrono::seconds time);
[[nodiscard]] std::optional<std::chrono::seconds> duration_of(std::string_view text) noexcept;

/// A settings value as a node without lines, for what comes from JSON or a store.
[[nodiscard]] yaml_node node_of(const settings_value& value);

} // namespace muster::rules
