#include "actors/rules/group_tree.hpp"

#include <algorithm>

namespace muster::rules {

namespace {

char lower(char c) noexcept {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

bool may_be_in_name(char c) noexcept {
  const char l = lower(c);
  return (l >= 'a' && l <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.';
}

const std::vector<group_id> no_groups;

} // namespace

std::string group_name_problem(std::string_view name) {
  if (name.empty() || name.size() > group_tree::name_bytes_max)
    return "a group's name has 1 to " + std::to_string(group_tree::name_bytes_max) + " characters";
  if (!std::all_of(name.begin(), name.end(), may_be_in_name))
    return "a group's name is made of letters a to z, digits, '-', '_' and '.'";
  if (name.front() == '.' || name.front() == '-')
    return "a group's name begins with a letter, a digit or '_'";
  return {};
}

std::weak_ordering compare_names(std::string_view a, std::string_view b) noexcept {
  return std::lexicographical_compare_three_way(
    a.begin(), a.end(), b.begin(), b.end(), [](char x, char y) -> std::weak_ordering {
      return static_cast<unsigned char>(lower(x)) <=> static_cast<unsigned char>(lower(y));
    });
}

group_tree::group_tree() {
  nodes_.emplace(root, node{{}, {}, {}});
  attach(unassigned, root, std::string{unassigned_name});
}

std::optional<group_id> group_tree::create(group_id parent, std::string_view name,
                                           std::string& problem) {
  problem = place_problem(parent, name, {}, {});
  if (problem.empty() && nodes_.size() >= groups_max)
    problem = "there are " + std::to_string(groups_max) + " groups, and no more can be";
  if (problem.empty() && last_.number == UINT32_MAX)
    problem = "there is no number left for a group";
  if (!problem.empty())
    return std::nullopt;
  ++last_.number;
  attach(last_, parent, std::string{name});
  return last_;
}

bool group_tree::rename(group_id id, std::string_view name, std::string& problem) {
  problem = changeable_problem(id);
  if (!problem.empty())
    return false;
  const auto above = parent(id);
  problem = place_problem(above, name, below(*at(id)), id);
  if (!problem.empty())
    return false;
  detach(id);
  attach(id, above, std::string{name});
  return true;
}

bool group_tree::move(group_id id, group_id parent, std::string& problem) {
  problem = changeable_problem(id);
  if (problem.empty() && is_within(parent, id))
    problem = "a group cannot be moved below itself";
  if (problem.empty())
    problem = place_problem(parent, name(id), below(*at(id)), id);
  if (!problem.empty())
    return false;
  detach(id);
  attach(id, parent, std::move(nodes_.at(id).name));
  return true;
}

bool group_tree::remove(group_id id, std::string& problem) {
  problem = changeable_problem(id);
  if (problem.empty() && !at(id)->children.empty())
    problem = "there are groups below it";
  if (!problem.empty())
    return false;
  detach(id);
  nodes_.erase(id);
  return true;
}

bool group_tree::restore(group_id id, group_id parent, std::string_view name,
                         std::string& problem) {
  if (id == root || id == unassigned)
    return true; // here from the start
  if (id.number == 0 || has(id))
    problem = "two groups have the number " + std::to_string(id.number);
  else if (nodes_.size() >= groups_max)
    problem = "there are more than " + std::to_string(groups_max) + " groups";
  else
    problem = place_problem(parent, name, {}, {});
  if (!problem.empty())
    return false;
  attach(id, parent, std::string{name});
  numbers_used(id);
  return true;
}

void group_tree::numbers_used(group_id last) noexcept {
  last_ = std::max(last_, last);
}

std::optional<group_id> group_tree::find(std::string_view path) const {
  if (path.size() > path_bytes_max + 2)
    return std::nullopt;
  if (path.starts_with('/'))
    path.remove_prefix(1);
  if (path.ends_with('/'))
    path.remove_suffix(1);
  std::optional out{root};
  while (out && !path.empty()) {
    const auto slash = path.find('/');
    out = child(*at(*out), path.substr(0, slash));
    if (slash != std::string_view::npos && slash + 1 == path.size())
      return std::nullopt;
    path = slash == std::string_view::npos ? std::string_view{} : path.substr(slash + 1);
  }
  return out;
}

std::string group_tree::path(group_id id) const {
  std::string out;
  for (const auto group : way_to(id)) {
    if (!out.empty())
      out += '/';
    out += name(group);
  }
  return out;
}

std::string_view group_tree::name(group_id id) const noexcept {
  const auto* n = at(id);
  return n != nullptr ? std::string_view{n->name} : std::string_view{};
}

group_id group_tree::parent(group_id id) const noexcept {
  const auto* n = at(id);
  return n != nullptr ? n->parent : group_id{};
}

std::size_t group_tree::depth(group_id id) const noexcept {
  std::size_t out = 0;
  for (auto above = parent(id); above.number != 0; above = parent(above))
    ++out;
  return out;
}

const std::vector<group_id>& group_tree::children(group_id id) const noexcept {
  const auto* n = at(id);
  return n != nullptr ? n->children : no_groups;
}

std::vector<group_id> group_tree::way_to(group_id id) const {
  std::vector<group_id> out;
  for (; has(id); id = parent(id))
    out.push_back(id);
  std::reverse(out.begin(), out.end());
  return out;
}

std::vector<group_id> group_tree::subtree(group_id id) const {
  std::vector<group_id> out;
  std::vector<group_id> open;
  if (has(id))
    open.push_back(id);
  while (!open.empty()) {
    out.push_back(open.back());
    open.pop_back();
    const auto& next = children(out.back());
    open.insert(open.end(), next.rbegin(), next.rend());
  }
  return out;
}

bool group_tree::is_within(group_id id, group_id above) const noexcept {
  for (; has(id); id = parent(id))
    if (id == above)
      return true;
  return false;
}

const group_tree::node* group_tree::at(group_id id) const noexcept {
  const auto found = nodes_.find(id);
  return found != nodes_.end() ? &found->second : nullptr;
}

std::vector<group_id>::const_iterator group_tree::place_of(const node& parent,
                                                           std::string_view name) const {
  return std::lower_bound(
    parent.children.begin(), parent.children.end(), name,
    [&](group_id id, std::string_view n) { return compare_names(nodes_.at(id).name, n) < 0; });
}

std::optional<group_id> group_tree::child(const node& parent, std::string_view name) const {
  const auto place = place_of(parent, name);
  if (place == parent.children.end() || compare_names(nodes_.at(*place).name, name) != 0)
    return std::nullopt;
  return *place;
}

group_tree::extent group_tree::below(const node& from) const {
  extent out;
  for (const auto id : from.children) {
    const auto& one = nodes_.at(id);
    const auto reach = below(one); // no deeper than depth_max
    out.depth = std::max(out.depth, 1 + reach.depth);
    out.path_bytes = std::max(out.path_bytes, 1 + one.name.size() + reach.path_bytes);
  }
  return out;
}

std::string group_tree::changeable_problem(group_id id) const {
  if (!has(id))
    return "there is no such group";
  if (id == root)
    return "the root stays as it is";
  if (id == unassigned)
    return "'unassigned' stays as it is: new devices are put there";
  return {};
}

std::string group_tree::place_problem(group_id parent, std::string_view name, extent reach,
                                      group_id moved) const {
  if (auto problem = group_name_problem(name); !problem.empty())
    return problem;
  const auto* above = at(parent);
  if (above == nullptr)
    return "there is no such group to be in";
  if (parent == unassigned)
    return "there can be no groups in 'unassigned'";
  if (const auto same = child(*above, name); same && *same != moved)
    return "there is a group '" + path(*same) + "' already";
  if (depth(parent) + 1 + reach.depth > depth_max)
    return "groups can be nested " + std::to_string(depth_max) + " deep";
  const auto above_bytes = path(parent).size();
  if (above_bytes + (above_bytes > 0 ? 1 : 0) + name.size() + reach.path_bytes > path_bytes_max)
    return "a path of groups has at most " + std::to_string(path_bytes_max) + " characters";
  return {};
}

void group_tree::attach(group_id id, group_id parent, std::string name) {
  auto& above = nodes_.at(parent);
  above.children.insert(place_of(above, name), id);
  auto& self = nodes_[id];
  self.parent = parent;
  self.name = std::move(name);
}

void group_tree::detach(group_id id) {
  auto& siblings = nodes_.at(parent(id)).children;
  siblings.erase(std::find(siblings.begin(), siblings.end(), id));
}

} // namespace muster::rules
