#include "apps/console/policy_edit.hpp"

#include "actors/rules/settings_yaml.hpp"

#include <algorithm>
#include <optional>
#include <utility>

namespace muster::console {

namespace {

using rules::settings_path;
using rules::settings_value;

settings_path above(const settings_path& at) {
  auto steps = at.steps();
  steps.pop_back();
  return settings_path{std::move(steps)};
}

} // namespace

settings_value value_of(std::string_view word, bool as_text) {
  if (as_text || word.find_first_not_of(" \t\n") == std::string_view::npos)
    return settings_value{std::string{word}};
  rules::text_problem problem;
  auto value = rules::settings_from_yaml(word, problem);
  return value ? std::move(*value) : settings_value{std::string{word}};
}

settings_path path_of(std::string_view text) {
  std::string problem;
  auto out = settings_path::parse(text, problem);
  if (!out || out->empty())
    throw failure(exit_usage, "'" + std::string{text} + "' is no path of a setting" +
                                (problem.empty() ? "" : ": " + problem));
  return std::move(*out);
}

rules::policy_profile* policy_part::found() const {
  if (profile.empty())
    return nullptr;
  const auto at = std::find_if(whole.profiles.begin(), whole.profiles.end(),
                               [&](const auto& one) { return one.name == profile; });
  if (at == whole.profiles.end())
    throw failure(exit_not_found, "the policy '" + whole.name + "' has no profile '" + profile +
                                    "'; profiles are made by files: muster export, edit, muster "
                                    "apply");
  return &*at;
}

rules::settings_document& policy_part::values() const {
  auto* const in = found();
  return in == nullptr ? whole.values : in->values;
}

std::vector<settings_path>& policy_part::locks() const {
  auto* const in = found();
  return in == nullptr ? whole.locks : in->locks;
}

std::string policy_part::title() const {
  return (profile.empty() ? "" : "profile '" + profile + "' of ") + "policy '" + whole.name +
         "' of group '" + (whole.group.empty() ? "/" : whole.group) + "'";
}

void set_value(const policy_part& in, const settings_path& at, settings_value value) {
  std::string problem;
  if (!rules::set_at(in.values(), at, std::move(value), problem))
    throw failure(exit_usage, "'" + at.text() + "' cannot be set: " + problem);
}

void unset_value(const policy_part& in, const settings_path& at) {
  auto& values = in.values();
  if (!rules::erase_at(values, at))
    throw failure(exit_not_found, in.title() + " says nothing of '" + at.text() +
                                    "'; where it comes from: muster policy effective");
  for (auto up = above(at); !up.empty(); up = above(up)) {
    const auto* const left = rules::value_at(values, up);
    if (left == nullptr || left->as_map() == nullptr || !left->as_map()->empty())
      break;
    rules::erase_at(values, up);
  }
}

void lock_path(const policy_part& in, const settings_path& at) {
  if (at.enters_list())
    throw failure(exit_usage, "'" + at.text() + "' goes into a list; lists are locked as wholes");
  auto& locks = in.locks();
  const auto covered = [&](const settings_path& one) { return one.covers(at); };
  if (std::none_of(locks.begin(), locks.end(), covered))
    locks.push_back(at);
}

void unlock_path(const policy_part& in, const settings_path& at) {
  auto& locks = in.locks();
  if (std::erase(locks, at) > 0)
    return;
  for (const auto& one : locks)
    if (one.covers(at))
      throw failure(exit_failed,
                    "'" + at.text() + "' is locked together with '" + one.text() + "'; unlock that");
  throw failure(exit_not_found, in.title() + " does not lock '" + at.text() +
                                  "'; who does: muster policy effective");
}

} // namespace muster::console
