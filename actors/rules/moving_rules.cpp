#include "actors/rules/moving_rules.hpp"

#include "actors/rules/device_filter.hpp"

#include <algorithm>
#include <array>

namespace muster::rules {

namespace {

constexpr std::array<std::string_view, moving_traits> trait_names{
  "name", "os", "application", "address", "source", "token", "tag"};

/// How well a condition is known to hold. In this order: a rule is as good as its worst condition.
enum class belief : std::uint8_t { no, claimed, proven };

bool is_range(moving_trait trait) noexcept {
  return trait == moving_trait::address || trait == moving_trait::source;
}

bool is_claim(moving_trait trait) noexcept {
  return trait != moving_trait::source && trait != moving_trait::token &&
         trait != moving_trait::tag;
}

bool any_matches(const moving_condition& c, std::string_view text) noexcept {
  return std::any_of(c.patterns.begin(), c.patterns.end(),
                     [&](const std::string& pattern) { return glob_matches(pattern, text); });
}

bool any_matches(const moving_condition& c, std::span<const std::string_view> texts) noexcept {
  return std::any_of(texts.begin(), texts.end(),
                     [&](std::string_view text) { return any_matches(c, text); });
}

bool any_contains(const moving_condition& c, const ip_address& address) noexcept {
  return std::any_of(c.ranges.begin(), c.ranges.end(),
                     [&](const address_range& range) { return range.contains(address); });
}

bool claimed(const moving_condition& c, const placement_facts& device) noexcept {
  switch (c.trait) {
  case moving_trait::name:
    return any_matches(c, device.name);
  case moving_trait::os:
    return any_matches(c, device.os_id) || any_matches(c, device.os_name);
  case moving_trait::application:
    return any_matches(c, device.applications);
  case moving_trait::address:
    return std::any_of(device.addresses.begin(), device.addresses.end(),
                       [&](const ip_address& one) { return any_contains(c, one); });
  case moving_trait::tag:
    return any_matches(c, device.tags_by_rule);
  case moving_trait::source:
  case moving_trait::token:
    return false;
  }
  return false;
}

bool proven(const moving_condition& c, const placement_facts& device) noexcept {
  switch (c.trait) {
  case moving_trait::source:
    return device.source && any_contains(c, *device.source);
  // "*" means any token that has a name, not none.
  case moving_trait::token:
    return !device.token.empty() && any_matches(c, device.token);
  case moving_trait::tag:
    return any_matches(c, device.tags_manual);
  case moving_trait::name:
  case moving_trait::os:
  case moving_trait::application:
  case moving_trait::address:
    return false;
  }
  return false;
}

belief holds(const moving_rule& rule, const placement_facts& device) noexcept {
  auto out = belief::proven;
  for (const auto& c : rule.conditions) {
    const auto one = proven(c, device)    ? belief::proven
                     : claimed(c, device) ? belief::claimed
                                          : belief::no;
    out = std::min(out, one);
  }
  return out;
}

} // namespace

std::string_view name_of(moving_trait trait) noexcept {
  return trait_names[static_cast<std::size_t>(trait)];
}

std::optional<moving_trait> moving_trait_of(std::string_view name) noexcept {
  const auto at = std::find(trait_names.begin(), trait_names.end(), name);
  if (at == trait_names.end())
    return std::nullopt;
  return static_cast<moving_trait>(at - trait_names.begin());
}

std::optional<moving_condition> moving_condition::parse(moving_trait trait,
                                                        std::span<const std::string> alternatives,
                                                        std::string& problem) {
  moving_condition out{trait, {}, {}};
  if (alternatives.empty() || alternatives.size() > moving_limits::alternatives_max) {
    problem =
      "a condition has 1 to " + std::to_string(moving_limits::alternatives_max) + " alternatives";
    return std::nullopt;
  }
  for (const auto& text : alternatives) {
    if (text.empty() || text.size() > moving_limits::text_bytes_max) {
      problem =
        "an alternative has 1 to " + std::to_string(moving_limits::text_bytes_max) + " bytes";
      return std::nullopt;
    }
    if (is_range(trait)) {
      const auto range = address_range::parse(text, problem);
      if (!range) {
        problem = "'" + text + "': " + problem;
        return std::nullopt;
      }
      out.ranges.push_back(*range);
    } else {
      auto& pattern = out.patterns.emplace_back(text);
      for (auto& c : pattern)
        c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    }
  }
  return out;
}

std::vector<std::string> moving_condition::texts() const {
  auto out = patterns;
  for (const auto& range : ranges)
    out.push_back(range.text());
  return out;
}

std::optional<placement> place(std::span<const moving_rule> rules, const placement_facts& device,
                               moving_occasion occasion) {
  for (std::size_t i = 0; i < rules.size(); ++i) {
    const auto& rule = rules[i];
    if (occasion == moving_occasion::changed && !rule.permanent)
      continue;
    const auto needed = occasion == moving_occasion::changed && !rule.trust_claimed
                          ? belief::proven
                          : belief::claimed;
    if (holds(rule, device) >= needed)
      return placement{i, rule.target};
  }
  return std::nullopt;
}

bool looks_at_applications(std::span<const moving_rule> rules) noexcept {
  return std::any_of(rules.begin(), rules.end(), [](const moving_rule& rule) {
    return std::any_of(rule.conditions.begin(), rule.conditions.end(),
                       [](const auto& c) { return c.trait == moving_trait::application; });
  });
}

std::string advice_on(const moving_rule& rule) {
  if (!rule.permanent || rule.trust_claimed)
    return {};
  for (const auto& c : rule.conditions)
    if (is_claim(c.trait))
      return "it looks at '" + std::string{name_of(c.trait)} +
             "', which devices say of themselves, so it moves a device only when it is new or when "
             "you run it; 'trust: claimed' makes it permanent all the same";
  return {};
}

} // namespace muster::rules
