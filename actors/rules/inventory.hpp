#pragma once
// What changed between two lists of installed applications.

#include <compare>
#include <cstdint>
#include <string>
#include <vector>

namespace muster::rules {

/// What the fleet-wide index is searched by. The rest of an application's description is in the
/// device's own section.
struct application_key {
  std::string name;
  std::string version;
  std::string architecture;
  std::string manager;
  friend auto operator<=>(const application_key&, const application_key&) = default;
};

struct application_delta {
  std::vector<application_key> added;
  std::vector<application_key> removed;
};

/// What must be added to `before` and removed from it to get `after`; both may be in any order and
/// may repeat themselves. O(n log n).
[[nodiscard]] application_delta difference(std::vector<application_key> before,
                                           std::vector<application_key> after);

/// The same as people see it: a version that replaced another of the same name and architecture
/// is one upgrade (or downgrade), not a removal and an installation.
struct application_change {
  enum class kind : std::uint8_t { installed, removed, replaced };
  kind what = kind::installed;
  application_key application;  ///< the new one; the old one when removed
  std::string version_before;   ///< when replaced
};

[[nodiscard]] std::vector<application_change> changes(const application_delta& delta);

} // namespace muster::rules
