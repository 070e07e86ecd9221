#include "actors/rules/policy_locks.hpp"

#include <algorithm>

namespace muster::rules {

namespace {

bool name_before(const lock_set::node& node, std::string_view name) noexcept {
  return node.name < name;
}

void collect(const lock_set::node& at, const settings_path& path, std::vector<settings_path>& out) {
  if (at.source) {
    out.push_back(path); // covers what is below
    return;
  }
  for (const auto& node : at.below)
    collect(node, path.below(node.name), out);
}

} // namespace

const lock_set::node* lock_set::node::find(std::string_view under) const noexcept {
  const auto at = std::lower_bound(below.begin(), below.end(), under, name_before);
  return at != below.end() && at->name == under ? &*at : nullptr;
}

lock_set::lock_set(std::span<const settings_path> locks, std::uint32_t source) {
  for (const auto& path : locks)
    add(path, source);
}

void lock_set::add(const settings_path& path, std::uint32_t source) {
  auto* at = &root_;
  for (const auto& step : path.steps()) {
    if (at->source)
      return;
    if (step.in_list)
      break;
    const auto next = std::lower_bound(at->below.begin(), at->below.end(), step.name, name_before);
    if (next != at->below.end() && next->name == step.name)
      at = &*next;
    else
      at = &*at->below.insert(next, node{step.name, std::nullopt, {}});
  }
  if (!at->source)
    at->source = source;
}

std::optional<std::uint32_t> lock_set::source_of(const settings_path& path) const noexcept {
  // The deepest one: a lock below another is there only because it was the first.
  auto out = root_.source;
  const auto* at = &root_;
  for (const auto& step : path.steps()) {
    if (step.in_list || (at = at->find(step.name)) == nullptr)
      break;
    if (at->source)
      out = at->source;
  }
  return out;
}

bool lock_set::lets(const settings_path& path) const noexcept {
  const auto* at = &root_;
  for (const auto& step : path.steps()) {
    if (at->source)
      return false;
    if (step.in_list || (at = at->find(step.name)) == nullptr)
      return true;
  }
  return !at->source && at->below.empty();
}

std::vector<settings_path> lock_set::paths() const {
  std::vector<settings_path> out;
  collect(root_, {}, out);
  return out;
}

} // namespace muster::rules
