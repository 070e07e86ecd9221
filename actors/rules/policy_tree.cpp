#include "actors/rules/policy_tree.hpp"

#include <muster/assert.hpp>

#include <algorithm>
#include <optional>
#include <span>

namespace muster::rules {

namespace {

using node = setting_tree::node;
using lock = lock_set::node;

bool name_before(const node& a, std::string_view name) noexcept {
  return a.name < name;
}

node node_of(std::string name, const settings_value& value, std::uint32_t source) {
  node out{std::move(name), {}, {}, source};
  const auto* entries = value.as_map();
  if (entries == nullptr || entries->empty()) {
    out.leaf = value;
    return out;
  }
  out.below.reserve(entries->size());
  for (const auto& entry : *entries)
    out.below.push_back(node_of(entry.name, entry.value, source));
  return out;
}

settings_value value_of(const node& from) {
  if (from.below.empty())
    return from.leaf;
  settings_value::map entries;
  entries.reserve(from.below.size());
  for (const auto& child : from.below)
    entries.push_back({child.name, value_of(child)});
  std::string twice;
  return settings_value::map_of(std::move(entries), twice);
}

const lock* lock_below(const lock* at, std::string_view name) noexcept {
  return at == nullptr ? nullptr : at->find(name);
}

/// What locks let through of something that would stand where nothing is.
std::optional<node> let_through(const node& from, const lock* locks) {
  if (locks == nullptr)
    return from;
  if (locks->source || (from.below.empty() && !locks->below.empty()))
    return std::nullopt;
  if (from.below.empty())
    return from;
  node out{from.name, {}, {}, from.source};
  for (const auto& child : from.below)
    if (auto passed = let_through(child, lock_below(locks, child.name)))
      out.below.push_back(std::move(*passed));
  return out.below.empty() ? std::nullopt : std::optional{std::move(out)};
}

void lay(node& base, const node& over, const lock* locks) {
  if (locks != nullptr && locks->source)
    return;
  if (over.below.empty()) {
    const bool empty_map_on_map = over.leaf.is_map() && (!base.below.empty() || base.leaf.is_map());
    if (!empty_map_on_map && (locks == nullptr || locks->below.empty()))
      base = over;
    return;
  }
  if (base.below.empty()) {
    if (auto passed = let_through(over, locks))
      base = std::move(*passed);
    return;
  }
  for (const auto& child : over.below) {
    const auto* child_locks = lock_below(locks, child.name);
    const auto at = std::lower_bound(base.below.begin(), base.below.end(), child.name, name_before);
    if (at != base.below.end() && at->name == child.name)
      lay(*at, child, child_locks);
    else if (auto passed = let_through(child, child_locks))
      base.below.insert(at, std::move(*passed));
  }
}

/// False when `at` has nothing left.
bool remove_from(node& at, std::span<const settings_step> steps) {
  if (steps.empty())
    return false;
  const auto child =
    std::lower_bound(at.below.begin(), at.below.end(), steps.front().name, name_before);
  if (steps.front().in_list || child == at.below.end() || child->name != steps.front().name)
    return true;
  if (!remove_from(*child, steps.subspan(1)))
    at.below.erase(child);
  return !at.below.empty();
}

} // namespace

setting_tree::setting_tree() {
  root_.leaf = settings_value::empty_map();
}

setting_tree::setting_tree(const settings_document& document, std::uint32_t source)
  : root_(node_of({}, document, source)) {
  MUSTER_ASSERT(document.is_map(), "a document is a map");
}

void setting_tree::lay_over(const setting_tree& over, const lock_set& locks) {
  lay(root_, over.root_, &locks.root());
}

void setting_tree::remove(const settings_path& path) {
  if (!remove_from(root_, path.steps()))
    *this = setting_tree{};
}

settings_document setting_tree::document() const {
  return value_of(root_);
}

} // namespace muster::rules
