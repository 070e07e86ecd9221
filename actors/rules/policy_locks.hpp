#pragma once
// Which settings are locked, and by whom.

#include "actors/rules/settings_path.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace muster::rules {

/// A set of locked nodes of a settings document. A lock covers its node and all below it, whether
/// or not anything stands there. Each lock has a source, a number that means something to its
/// owner. Locks are added from the top of the group tree downwards: what a node has from above is
/// kept. A plain value; its size is bounded by what policies may have (policy_merge.hpp).
class lock_set {
public:
  lock_set() = default;
  /// All of one source.
  explicit lock_set(std::span<const settings_path> locks, std::uint32_t source = 0);

  /// Does nothing when the path is covered already: the earlier lock is the higher one, and wins.
  /// Paths into lists are not for locks; their steps behind the list are left out.
  void add(const settings_path& path, std::uint32_t source);

  /// The source of the lock that holds a node; of several that cover it, the one added first.
  [[nodiscard]] std::optional<std::uint32_t> source_of(const settings_path& path) const noexcept;
  /// Whether a value other than a map may be put there: the node is not covered, and no lock stands
  /// below it, which a value in its place would tear out.
  [[nodiscard]] bool lets(const settings_path& path) const noexcept;
  /// The least set of paths that lock the same, in order: what travels to a device.
  [[nodiscard]] std::vector<settings_path> paths() const;
  [[nodiscard]] bool empty() const noexcept { return root_.below.empty() && !root_.source; }

  /// The tree of them, for whoever walks a document at the same time.
  struct node {
    std::string name;
    std::optional<std::uint32_t> source; ///< locked, and by this
    std::vector<node> below;             ///< in the order of names; only where locks are
    [[nodiscard]] const node* find(std::string_view under) const noexcept;
  };
  [[nodiscard]] const node& root() const noexcept { return root_; }

private:
  node root_;
};

} // namespace muster::rules
