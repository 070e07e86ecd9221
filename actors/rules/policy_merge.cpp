#include "actors/rules/policy_merge.hpp"

#include <algorithm>
#include <set>

namespace muster::rules {

namespace {

std::string paths_problem(std::span<const settings_path> paths, std::string_view what) {
  if (paths.size() > policy_limits::paths_max)
    return "it has more than " + std::to_string(policy_limits::paths_max) + " " +
           std::string{what} + "s";
  for (const auto& path : paths)
    if (path.enters_list())
      return "the " + std::string{what} + " '" + path.text() +
             "' goes into a list: a list is one setting";
  return {};
}

std::string values_problem(const settings_document& values) {
  return values.is_map() ? problem_with(values) : "its values are no map";
}

std::string name_problem(std::string_view name) {
  if (name.empty() || name.size() > policy_limits::name_bytes_max || !is_utf8(name))
    return "a name has 1 to " + std::to_string(policy_limits::name_bytes_max) + " bytes of UTF-8";
  return {};
}

std::string first_of(std::initializer_list<std::string> problems) {
  for (const auto& problem : problems)
    if (!problem.empty())
      return problem;
  return {};
}

bool only_of_profiles(const filter_kinds& kinds) noexcept {
  return !kinds.name && !kinds.state && !kinds.status && !kinds.keep && !kinds.id;
}

/// Active profiles, the one with the last word last.
std::vector<const policy_profile*> in_order(const policy& p, profile_set active) {
  std::vector<const policy_profile*> out;
  for (std::size_t i = 0; i < p.profiles.size(); ++i)
    if ((active >> i & 1) != 0)
      out.push_back(&p.profiles[i]);
  std::sort(out.begin(), out.end(), [](const auto* a, const auto* b) {
    return a->priority != b->priority ? a->priority < b->priority : a->name < b->name;
  });
  return out;
}

/// Walks a tree and the locks on it.
class explainer {
public:
  explainer(std::span<const setting_source> sources, std::vector<explained_setting>& out)
    : sources_(sources), out_(out) {}

  void walk(const setting_tree::node& at, const settings_path& path, const lock_set::node* locks,
            std::optional<std::uint32_t> locked) {
    if (locks != nullptr && locks->source)
      locked = locks->source;
    for (const auto& child : at.below)
      walk(child, path.below(child.name), locks == nullptr ? nullptr : locks->find(child.name),
           locked);
    if (!at.below.empty() || path.empty())
      return;
    out_.push_back({path, at.leaf, sources_[at.source], std::nullopt});
    if (locked)
      out_.back().locked_by = sources_[*locked];
  }

private:
  std::span<const setting_source> sources_;
  std::vector<explained_setting>& out_;
};

bool has_entries(const settings_value& value) noexcept {
  return value.is_map() && !value.as_map()->empty();
}

/// setting_tree::lay_over for values that need no sources, and several times as quick: this is the
/// step that is done once for each device.
void put_own(settings_value& base, const settings_value& own, const lock_set::node* locks) {
  if (locks != nullptr && locks->source)
    return;
  if (!has_entries(own)) {
    if (!(own.is_map() && base.is_map()) && (locks == nullptr || locks->below.empty()))
      base = own;
    return;
  }
  // A value gives way to a map only if the locks leave something of the map.
  auto map = base.is_map() ? std::move(base) : settings_value::empty_map();
  for (const auto& entry : *own.as_map()) {
    const auto* below = locks == nullptr ? nullptr : locks->find(entry.name);
    if (auto* there = map.find(entry.name)) {
      put_own(*there, entry.value, below);
    } else if (below == nullptr) {
      map.set(entry.name, entry.value);
    } else if (has_entries(entry.value) && !below->source) {
      auto passed = settings_value::empty_map();
      put_own(passed, entry.value, below);
      if (has_entries(passed))
        map.set(entry.name, std::move(passed));
    } else if (!below->source && below->below.empty()) {
      map.set(entry.name, entry.value);
    }
  }
  if (base.is_map() || has_entries(map))
    base = std::move(map);
}

void collect_overruled(const settings_value& at, const settings_path& path, const lock_set& locks,
                       std::vector<settings_path>& out) {
  const auto* entries = at.as_map();
  if (entries != nullptr && !entries->empty()) {
    for (const auto& entry : *entries)
      collect_overruled(entry.value, path.below(entry.name), locks, out);
  } else if (!path.empty() && !locks.lets(path)) {
    out.push_back(path);
  }
}

} // namespace

std::optional<device_filter> profile_condition(std::string_view text, std::string& problem) {
  auto out = device_filter::parse(text, problem);
  if (out && !only_of_profiles(out->kinds())) {
    problem = "a profile's condition is made of os:, tag: and group:";
    return std::nullopt;
  }
  return out;
}

std::string problem_with(const policy& p) {
  if (auto problem =
        first_of({name_problem(p.name), values_problem(p.values), paths_problem(p.locks, "lock")});
      !problem.empty())
    return problem;
  if (p.profiles.size() > policy_limits::profiles_max)
    return "it has more than " + std::to_string(policy_limits::profiles_max) + " profiles";
  std::set<std::string_view> names;
  for (const auto& profile : p.profiles) {
    auto problem =
      first_of({name_problem(profile.name), values_problem(profile.values),
                paths_problem(profile.locks, "lock"), paths_problem(profile.removes, "removal")});
    if (problem.empty() && !only_of_profiles(profile.when.kinds()))
      problem = "a profile's condition is made of os:, tag: and group:";
    if (problem.empty() && !names.insert(profile.name).second)
      problem = "another profile has this name";
    if (!problem.empty())
      return "profile '" + profile.name + "': " + problem;
  }
  return {};
}

profile_set active_profiles(const policy& p, const device_traits& device) {
  profile_set out = 0;
  for (std::size_t i = 0; i < p.profiles.size() && i < policy_limits::profiles_max; ++i)
    if (p.profiles[i].when.matches(device))
      out |= profile_set{1} << i;
  return out;
}

composed_policy::ptr composed_policy::compose(const ptr& above, const policy& own,
                                              profile_set active) {
  auto out =
    above ? std::make_shared<composed_policy>(*above) : std::make_shared<composed_policy>();
  const auto locks_above = out->locks_;
  const auto add_source = [&](std::string profile) {
    out->sources_.push_back({false, own.group, own.name, std::move(profile)});
    return static_cast<std::uint32_t>(out->sources_.size() - 1);
  };
  const auto add_locks = [&](std::span<const settings_path> locks, std::uint32_t source) {
    for (const auto& path : locks)
      out->locks_.add(path, source);
  };
  const auto source = add_source({});
  setting_tree said{own.values, source};
  add_locks(own.locks, source);
  for (const auto* profile : in_order(own, active)) {
    const auto profile_source = add_source(profile->name);
    for (const auto& path : profile->removes)
      said.remove(path);
    said.lay_over(setting_tree{profile->values, profile_source}, {});
    add_locks(profile->locks, profile_source);
  }
  out->tree_.lay_over(said, locks_above);
  out->values_ = out->tree_.document();
  return out;
}

std::vector<explained_setting> composed_policy::explain(const settings_document& own) const {
  auto tree = tree_;
  auto sources = sources_;
  sources.push_back({true, {}, {}, {}});
  tree.lay_over(setting_tree{own, static_cast<std::uint32_t>(sources.size() - 1)}, locks_);
  std::vector<explained_setting> out;
  explainer{sources, out}.walk(tree.root(), {}, &locks_.root(), std::nullopt);
  return out;
}

settings_document with_own(const settings_document& values, const lock_set& locks,
                           const settings_document& own) {
  auto out = values;
  put_own(out, own, &locks.root());
  return out;
}

std::vector<settings_path> overruled(const lock_set& locks, const settings_document& own) {
  std::vector<settings_path> out;
  collect_overruled(own, {}, locks, out);
  return out;
}

std::size_t policy_composer::key_hash::operator()(const key& k) const noexcept {
  auto out = std::hash<const void*>{}(k.above);
  for (const auto part : {std::hash<const void*>{}(k.own), std::size_t{k.active}})
    out = (out ^ part) * 0x9e3779b97f4a7c15U;
  return out ^ out >> 32;
}

composed_policy::ptr policy_composer::compose(std::span<const policy_ptr> path,
                                              const device_traits& device) {
  composed_policy::ptr above;
  for (const auto& own : path) {
    const key k{above.get(), own.get(), active_profiles(*own, device)};
    auto at = kept_.find(k);
    if (at == kept_.end()) {
      if (kept_.size() >= entries_max_)
        kept_.clear();
      ++composed_;
      at =
        kept_.emplace(k, entry{above, own, composed_policy::compose(above, *own, k.active)}).first;
    }
    above = at->second.result;
  }
  return above;
}

} // namespace muster::rules
