#pragma once
// The administration tree: which groups there are, and what may be done to them.

#include <compare>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace muster::rules {

/// A number that the tree gives a group when it is created, and never again to another.
struct group_id {
  std::uint32_t number = 0; ///< 0: none
  friend auto operator<=>(const group_id&, const group_id&) = default;
};

} // namespace muster::rules

template <>
struct std::hash<muster::rules::group_id> {
  std::size_t operator()(const muster::rules::group_id& id) const noexcept { return id.number; }
};

namespace muster::rules {

/// A tree of named groups with one root. A path is the names from the root down, divided by
/// slashes: "eu/berlin"; the root's is empty, and is written "/" by people. Reading takes a slash
/// at either end.
///
/// Fixed: the root, and `unassigned` below it, where new devices are. Neither can be renamed, moved
/// or deleted, and nothing can be created in `unassigned`.
///
/// A plain value, for one thread or actor. About 150 bytes a group with its name.
class group_tree {
public:
  static constexpr group_id root{1};
  static constexpr group_id unassigned{2};
  static constexpr std::string_view unassigned_name = "unassigned";

  static constexpr std::size_t groups_max = 100'000;
  static constexpr std::size_t depth_max = 16; ///< the root has depth 0
  static constexpr std::size_t name_bytes_max = 64;
  static constexpr std::size_t path_bytes_max = 512;

  /// The root and `unassigned`.
  group_tree();

  // Changes. Each answers with empty or false, a clause in `problem`, and nothing changed, when it
  // would break a rule: bounds, the fixed groups, a name that a sibling has (letter case does not
  // count), a group below itself.

  [[nodiscard]] std::optional<group_id> create(group_id parent, std::string_view name,
                                               std::string& problem);
  [[nodiscard]] bool rename(group_id id, std::string_view name, std::string& problem);
  /// With all below it.
  [[nodiscard]] bool move(group_id id, group_id parent, std::string& problem);
  /// Only a group without groups below it. That no device, policy or rule is left in it is for the
  /// caller to see to.
  [[nodiscard]] bool remove(group_id id, std::string& problem);
  /// A group as a store had it, its parent before it. Later numbers are given behind the highest.
  [[nodiscard]] bool restore(group_id id, group_id parent, std::string_view name,
                             std::string& problem);
  /// No group gets a number up to this one: those of groups that were deleted stay theirs.
  void numbers_used(group_id last) noexcept;

  // Questions. For a group that is not there: empty, false or 0.

  [[nodiscard]] bool has(group_id id) const noexcept { return nodes_.contains(id); }
  /// Letter case does not count.
  [[nodiscard]] std::optional<group_id> find(std::string_view path) const;
  [[nodiscard]] std::string path(group_id id) const;
  [[nodiscard]] std::string_view name(group_id id) const noexcept;
  [[nodiscard]] group_id parent(group_id id) const noexcept;
  [[nodiscard]] std::size_t depth(group_id id) const noexcept;
  /// By name.
  [[nodiscard]] const std::vector<group_id>& children(group_id id) const noexcept;
  /// From the root down to the group itself.
  [[nodiscard]] std::vector<group_id> way_to(group_id id) const;
  /// The group and all below it, each before those below it, siblings by name.
  [[nodiscard]] std::vector<group_id> subtree(group_id id) const;
  /// Whether `id` is `above` or below it.
  [[nodiscard]] bool is_within(group_id id, group_id above) const noexcept;
  [[nodiscard]] std::size_t size() const noexcept { return nodes_.size(); }
  [[nodiscard]] group_id last_number() const noexcept { return last_; }

private:
  struct node {
    group_id parent;
    std::string name;
    std::vector<group_id> children;
  };
  struct extent {
    std::size_t depth = 0;
    std::size_t path_bytes = 0;
  };

  [[nodiscard]] const node* at(group_id id) const noexcept;
  [[nodiscard]] std::vector<group_id>::const_iterator place_of(const node& parent,
                                                               std::string_view name) const;
  [[nodiscard]] std::optional<group_id> child(const node& parent, std::string_view name) const;
  /// How far the deepest and the longest path below a group go beyond the group itself.
  [[nodiscard]] extent below(const node& from) const;
  [[nodiscard]] std::string changeable_problem(group_id id) const;
  /// Why a group called `name`, which reaches so far below, cannot stand below `parent`; `moved` is
  /// the group itself, or none.
  [[nodiscard]] std::string place_problem(group_id parent, std::string_view name, extent reach,
                                          group_id moved) const;
  void attach(group_id id, group_id parent, std::string name);
  void detach(group_id id);

  std::unordered_map<group_id, node> nodes_;
  group_id last_ = unassigned;
};

/// Empty when it can be a group's name: 1 to 64 ASCII letters, digits and "-_.", neither a dot nor
/// a hyphen in front; else a clause. So a name needs no quotes in a target, a path or a shell.
[[nodiscard]] std::string group_name_problem(std::string_view name);

/// Letter case aside, in the order of bytes.
[[nodiscard]] std::weak_ordering compare_names(std::string_view a, std::string_view b) noexcept;

} // namespace muster::rules
