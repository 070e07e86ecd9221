#pragma once
// What an application's settings are on a device: policies down the group tree, their profiles,
// locks, and the device's own values.
//
// The rule (each step takes the place of what the one before said, leaf by leaf):
//   1 within one policy: its values, then each active profile's removals and values, by priority;
//   2 down the tree: what the groups above say, then what 1 gave, except where a group above has
//   locked; 3 the device's own values, except where any group has locked.
// So a lock higher in the tree wins, covers its whole subtree, and holds even where it has no
// value.
//
// Step 1 and 2 depend on the group and on which profiles are active, not on the device:
// policy_composer keeps them, one result for all devices that share it. Step 3 is done last, only
// for devices that have values of their own. That is what makes a change at the root cheap for
// 100,000 devices.

#include "actors/rules/device_filter.hpp"
#include "actors/rules/policy_locks.hpp"
#include "actors/rules/policy_tree.hpp"
#include "actors/rules/settings_path.hpp"
#include "actors/rules/settings_value.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace muster::rules {

namespace policy_limits {
inline constexpr std::size_t profiles_max = 32; ///< bits of a profile_set
inline constexpr std::size_t paths_max =
  1'000; ///< locks of a policy or profile; removals of a profile
inline constexpr std::size_t name_bytes_max = 64;
} // namespace policy_limits

/// A named difference within a policy, for the devices that `when` means.
struct policy_profile {
  std::string name;
  std::int32_t priority = 0; ///< the higher one has the last word; of equals, the later name
  device_filter when;        ///< of os:, tag: and group: only
  settings_document values = settings_value::empty_map();
  std::vector<settings_path> removes; ///< of what the policy itself says; what is inherited stays
  std::vector<settings_path> locks;
};

/// The settings of one application in one group.
struct policy {
  std::string name;
  std::string group; ///< its path, for people; empty: the root
  settings_document values = settings_value::empty_map();
  std::vector<settings_path> locks;
  std::vector<policy_profile> profiles;
};
using policy_ptr = std::shared_ptr<const policy>;

/// Empty when all bounds hold, names of profiles differ, conditions are of the right kinds and no
/// lock or removal goes into a list; else a clause.
[[nodiscard]] std::string problem_with(const policy& p);

/// A condition of a profile. Empty with a clause in `problem` when it is no target, or has other
/// terms than os:, tag: and group:.
[[nodiscard]] std::optional<device_filter> profile_condition(std::string_view text,
                                                             std::string& problem);

/// Bit i: profile i of the policy is active.
using profile_set = std::uint32_t;
[[nodiscard]] profile_set active_profiles(const policy& p, const device_traits& device);

/// Where a value or a lock came from.
struct setting_source {
  bool device = false; ///< the device's own value; the rest is empty then
  std::string group;
  std::string policy;
  std::string profile; ///< empty: the policy itself
  friend bool operator==(const setting_source&, const setting_source&) = default;
};

/// A leaf of the effective settings.
struct explained_setting {
  settings_path path;
  settings_value value;
  setting_source from;
  std::optional<setting_source> locked_by;
};

/// What the groups from the root down to one say together (steps 1 and 2). Immutable, shared.
class composed_policy {
public:
  using ptr = std::shared_ptr<const composed_policy>;

  /// `above` may be null: nothing is inherited.
  [[nodiscard]] static ptr compose(const ptr& above, const policy& own, profile_set active);

  /// The settings of a device that has none of its own. Several policies together may say more than
  /// `settings_limits` let a document have: whoever changes a policy asks `problem_with` about this.
  [[nodiscard]] const settings_document& values() const noexcept { return values_; }
  [[nodiscard]] const lock_set& locks() const noexcept { return locks_; }

  /// Each leaf of `with_own(values(), locks(), own)`, in the order of the document.
  [[nodiscard]] std::vector<explained_setting> explain(const settings_document& own) const;

private:
  setting_tree tree_;
  lock_set locks_;
  std::vector<setting_source> sources_;
  settings_document values_ = settings_value::empty_map();
};

/// Step 3, for server and agent alike: the agent has the values and the paths of the locks.
[[nodiscard]] settings_document with_own(const settings_document& values, const lock_set& locks,
                                         const settings_document& own);

/// The leaves of a device's own values that locks keep out: what a hand changed and must be
/// repaired.
[[nodiscard]] std::vector<settings_path> overruled(const lock_set& locks,
                                                   const settings_document& own);

/// Keeps what was composed, by group and set of active profiles. Not shared between threads.
/// Bounded: when full it forgets all (what is in use lives on with its users) and begins again.
class policy_composer {
public:
  explicit policy_composer(std::size_t entries_max = 65'536) : entries_max_(entries_max) {}

  /// The policies of one application from the root down to the device's group, groups without one
  /// left out. A policy that changed is another object: pass a new pointer. Null when there is
  /// none.
  [[nodiscard]] composed_policy::ptr compose(std::span<const policy_ptr> path,
                                             const device_traits& device);

  [[nodiscard]] std::size_t entries() const noexcept { return kept_.size(); }
  [[nodiscard]] std::size_t composed() const noexcept { return composed_; } ///< since the start
  void forget() { kept_.clear(); }

private:
  struct key {
    const composed_policy* above;
    const policy* own;
    profile_set active;
    friend bool operator==(const key&, const key&) = default;
  };
  struct key_hash {
    std::size_t operator()(const key& k) const noexcept;
  };
  /// Holds what its key points to, so that no address is used twice.
  struct entry {
    composed_policy::ptr above;
    policy_ptr own;
    composed_policy::ptr result;
  };

  std::size_t entries_max_;
  std::size_t composed_ = 0;
  std::unordered_map<key, entry, key_hash> kept_;
};

} // namespace muster::rules
