#pragma once
// Changes of a policy by one word: what `muster policy set` and its like do to the document that
// they read. Pure; each throws failure with the remedy when there is nothing to change.

#include "actors/rules/fleet_document.hpp"
#include "apps/console/failure.hpp"

#include <string>
#include <string_view>

namespace muster::console {

/// A word of a command line as a value: what YAML takes it for (22, true, 1.5, [a, b]), else, and
/// with `as_text`, a text.
[[nodiscard]] rules::settings_value value_of(std::string_view word, bool as_text);

[[nodiscard]] rules::settings_path path_of(std::string_view text);

/// Where in a policy: in itself, or in its profile of that name.
struct policy_part {
  rules::policy& whole;
  std::string profile;

  [[nodiscard]] rules::settings_document& values() const;
  [[nodiscard]] std::vector<rules::settings_path>& locks() const;
  /// "policy 'sshd' of group 'eu'", "profile 'laptops' of ...".
  [[nodiscard]] std::string title() const;

private:
  [[nodiscard]] rules::policy_profile* found() const;
};

void set_value(const policy_part& in, const rules::settings_path& at, rules::settings_value value);
/// And maps that it leaves empty.
void unset_value(const policy_part& in, const rules::settings_path& at);
/// Nothing when the part has that lock, or one above it.
void lock_path(const policy_part& in, const rules::settings_path& at);
void unlock_path(const policy_part& in, const rules::settings_path& at);

} // namespace muster::console
