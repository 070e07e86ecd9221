#pragma once
// Settings with, at each leaf, where it came from: what policies are merged in.

#include "actors/rules/policy_locks.hpp"
#include "actors/rules/settings_path.hpp"
#include "actors/rules/settings_value.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace muster::rules {

/// A document whose leaves carry a source, a number that means something to its owner. A leaf is
/// everything but a map with something in it: lists are taken as wholes, and an empty map is a
/// value.
class setting_tree {
public:
  struct node {
    std::string name;
    std::vector<node> below; ///< in the order of names; empty: this is a leaf
    settings_value leaf;
    std::uint32_t source = 0;
  };

  /// The empty document.
  setting_tree();
  /// `document` must be a map.
  setting_tree(const settings_document& document, std::uint32_t source);

  /// Puts each leaf of `over` in the place of what stands there, but where `locks` do not let it
  /// (see lock_set::lets). An empty map takes the place of any other leaf, and of no map.
  void lay_over(const setting_tree& over, const lock_set& locks);
  /// Takes away a node with all below it, and maps that it leaves empty.
  void remove(const settings_path& path);

  [[nodiscard]] settings_document document() const;
  [[nodiscard]] const node& root() const noexcept { return root_; }

private:
  node root_;
};

} // namespace muster::rules
