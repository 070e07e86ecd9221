#pragma once
// The moving rules for one device: what they need to know of it, and where it goes. Pure but for
// reading the store; CAF-free.

#include "actors/rules/ids.hpp"
#include "actors/rules/moving_rules.hpp"
#include "actors/server/fleet_messages.hpp"
#include "storage/store.hpp"

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

namespace muster::actors {

/// What a device says of itself and the directory does not keep in memory.
struct claimed_facts {
  std::vector<std::string> applications; ///< names
  std::vector<std::string> addresses;
};

/// Which of these some rule looks at, that may move a device on this occasion. A rule that needs a
/// proof moves nobody by a claim, so what it claims need not be read.
struct placing_needs {
  bool applications = false;
  bool addresses = false;
  [[nodiscard]] bool any() const noexcept { return applications || addresses; }
};
[[nodiscard]] placing_needs needs_of(std::span<const rules::moving_rule> rules,
                                     rules::moving_occasion occasion) noexcept;

/// What is needed, from the sections that the store has. What a device has not said, or what cannot
/// be read any more, it does not claim. Runs on a reader's thread.
[[nodiscard]] std::error_code read_claims(const storage::store& from, const rules::device_id& device,
                                          placing_needs what, claimed_facts& out);

/// What the directory knows by itself. Views.
struct known_traits {
  std::string_view name, os_id, os_name;
  std::string_view source; ///< the address of its last connection
  std::string_view token;  ///< name of the token that it enrolled with
  std::string_view tags;   ///< as in device_tags.hpp; all of them set by administrators
};

struct placing {
  rules::group_id target;
  std::string rule;
};
/// Empty: it stays. A rule whose group is gone moves nobody.
[[nodiscard]] std::optional<placing> place_device(const fleet_snapshot& fleet,
                                                  const known_traits& device,
                                                  const claimed_facts& claims,
                                                  rules::moving_occasion occasion);

} // namespace muster::actors
