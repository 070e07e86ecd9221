#pragma once
// Which group a device belongs to by itself: ordered rules, and how far what they look at is
// believed.
//
// A device may say what it likes about itself. What it says (name, OS, addresses, applications) is
// *claimed*; what the server saw or an administrator did (source address, enrolment token, manual
// tag) is *proven*. A claim places a device once, when it is new, or when an administrator runs the
// rules and looks at the outcome; afterwards only what is proven moves it, so that no device can
// walk into a group, with its policies and secrets, by renaming itself. A rule that says `trust:
// claimed` waives that.

#include "actors/rules/address_range.hpp"
#include "actors/rules/group_tree.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace muster::rules {

namespace moving_limits {
inline constexpr std::size_t rules_max = 1'000;
inline constexpr std::size_t conditions_max = 16;   ///< of a rule
inline constexpr std::size_t alternatives_max = 64; ///< of a condition
inline constexpr std::size_t text_bytes_max = 256;  ///< of an alternative
} // namespace moving_limits

/// What a condition looks at.
enum class moving_trait : std::uint8_t {
  name,        ///< claimed; globs, letter case does not count, as for all that are no addresses
  os,          ///< claimed; the id or the full name
  application, ///< claimed; one that is installed
  address,     ///< claimed; one the device says it has
  source,      ///< proven; the address its connection came from
  token,       ///< proven; the name of the token that it enrolled with
  tag,         ///< proven when an administrator set it, claimed when a rule did
};
inline constexpr std::size_t moving_traits = 7;

[[nodiscard]] std::string_view name_of(moving_trait trait) noexcept;
[[nodiscard]] std::optional<moving_trait> moving_trait_of(std::string_view name) noexcept;

/// Holds when one of the alternatives does.
struct moving_condition {
  moving_trait trait = moving_trait::name;
  std::vector<std::string> patterns; ///< lower case; for address and source empty
  std::vector<address_range> ranges; ///< for address and source only
  friend bool operator==(const moving_condition&, const moving_condition&) = default;

  /// Empty with a clause in `problem` when there is nothing, too much, or something that is no
  /// range where one must be.
  [[nodiscard]] static std::optional<moving_condition>
  parse(moving_trait trait, std::span<const std::string> alternatives, std::string& problem);
  /// The alternatives as text again.
  [[nodiscard]] std::vector<std::string> texts() const;
};

/// Holds when all conditions do; without any it holds for every device.
struct moving_rule {
  std::string name;
  std::vector<moving_condition> conditions;
  group_id target;
  bool permanent = false;     ///< also moves devices that are not new, when their facts change
  bool trust_claimed = false; ///< claims count as if they were proven
};

/// What is known of a device. Views; the caller keeps what they see.
struct placement_facts {
  std::string_view name;
  std::string_view os_id;
  std::string_view os_name;
  std::span<const std::string_view> applications;
  std::span<const ip_address> addresses;
  std::span<const std::string_view> tags_by_rule;

  std::optional<ip_address> source;
  std::string_view token; ///< empty: not by one that has a name
  std::span<const std::string_view> tags_manual;
};

enum class moving_occasion : std::uint8_t {
  enrolled, ///< the device is new
  asked,    ///< an administrator runs the rules
  changed,  ///< something about the device is not what it was
};

struct placement {
  std::size_t rule = 0; ///< which one, by its place in the list
  group_id target;
  friend bool operator==(const placement&, const placement&) = default;
};

/// The first rule that applies says where to; empty: the device stays. A rule applies when it holds
/// and, if the occasion is `changed`, is permanent and holds by what is proven (or trusts claims).
[[nodiscard]] std::optional<placement>
place(std::span<const moving_rule> rules, const placement_facts& device, moving_occasion occasion);

/// Whether any rule looks at applications: those are not in memory, and need not be read when none
/// does.
[[nodiscard]] bool looks_at_applications(std::span<const moving_rule> rules) noexcept;

/// Empty, or what whoever writes this rule should know: a permanent rule on claims alone does not
/// do what it seems to.
[[nodiscard]] std::string advice_on(const moving_rule& rule);

} // namespace muster::rules
