#include "actors/rules/fleet_spec.hpp"

#include "actors/rules/group_tree.hpp"

#include <algorithm>
#include <set>

namespace muster::rules {

namespace {

settings_value texts_of(const std::vector<settings_path>& paths) {
  std::set<std::string> sorted; // locks and removals have no order
  for (const auto& path : paths)
    sorted.insert(path.text());
  settings_value::list out;
  for (const auto& text : sorted)
    out.emplace_back(text);
  return out;
}

void set_paths(settings_document& out, std::string_view name,
               const std::vector<settings_path>& paths) {
  if (!paths.empty())
    out.set(name, texts_of(paths));
}

policy_profile profile_from_node(const yaml_node& node, std::vector<text_problem>& problems) {
  policy_profile out;
  node_reader in{node, "profile", problems};
  if (in.need("name") != nullptr)
    in.text("name", out.name, policy_limits::name_bytes_max);
  std::int64_t priority = 0;
  in.number("priority", priority, -1'000'000, 1'000'000);
  out.priority = static_cast<std::int32_t>(priority);
  std::string when;
  std::string problem;
  if (const auto* condition = in.need("when")) {
    in.text("when", when, device_filter::target_bytes_max);
    if (auto filter = profile_condition(when, problem))
      out.when = std::move(*filter);
    else
      in.fail(condition->line, "'when' of profile: " + problem);
  }
  in.document("settings", out.values);
  in.paths("removes", out.removes, policy_limits::paths_max);
  in.paths("locks", out.locks, policy_limits::paths_max);
  in.finish();
  return out;
}

settings_document profile_document(const policy_profile& profile) {
  auto out = settings_value::empty_map();
  out.set("name", profile.name);
  if (profile.priority != 0)
    out.set("priority", std::int64_t{profile.priority});
  out.set("when", profile.when.text().empty() ? std::string{"group:/"} : profile.when.text());
  if (!profile.values.as_map()->empty())
    out.set("settings", profile.values);
  set_paths(out, "removes", profile.removes);
  set_paths(out, "locks", profile.locks);
  return out;
}

void condition_from_node(const yaml_node& when, moving_trait trait, node_reader& in,
                         rule_spec& out) {
  const auto* node = in.take(name_of(trait));
  if (node == nullptr)
    return;
  std::vector<std::string> texts;
  in.texts(name_of(trait), texts, moving_limits::alternatives_max, moving_limits::text_bytes_max);
  std::string problem;
  if (texts.empty())
    return; // said already
  if (auto condition = moving_condition::parse(trait, texts, problem))
    out.when.push_back(std::move(*condition));
  else
    in.fail(node->line != 0 ? node->line : when.line,
            "'" + std::string{name_of(trait)} + "' of when: " + problem);
}

} // namespace

std::string_view bare_path(std::string_view path) noexcept {
  if (path.starts_with('/'))
    path.remove_prefix(1);
  if (path.ends_with('/'))
    path.remove_suffix(1);
  return path;
}

std::string lower_case(std::string_view text) {
  std::string out{text};
  for (auto& c : out)
    c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  return out;
}

std::string group_path_problem(std::string_view path) {
  auto rest = bare_path(path);
  if (rest.size() > group_tree::path_bytes_max)
    return "a path of groups has at most " + std::to_string(group_tree::path_bytes_max) +
           " characters";
  std::size_t depth = 0;
  for (bool more = !rest.empty(); more;) {
    const auto slash = rest.find('/');
    if (auto problem = group_name_problem(rest.substr(0, slash)); !problem.empty())
      return problem;
    if (++depth > group_tree::depth_max)
      return "groups can be nested " + std::to_string(group_tree::depth_max) + " deep";
    more = slash != std::string_view::npos;
    rest.remove_prefix(more ? slash + 1 : rest.size());
  }
  return {};
}

group_spec group_from_node(const yaml_node& spec, std::vector<text_problem>& problems) {
  group_spec out;
  node_reader in{spec, "spec", problems};
  in.text("description", out.description, 1'000);
  in.finish();
  return out;
}

policy policy_from_node(const yaml_node& spec, std::vector<text_problem>& problems) {
  policy out;
  node_reader in{spec, "spec", problems};
  in.document("settings", out.values);
  in.paths("locks", out.locks, policy_limits::paths_max);
  if (const auto* profiles = in.take("profiles")) {
    if (profiles->kind != value_kind::list || profiles->items.size() > policy_limits::profiles_max)
      in.fail(profiles->line, "'profiles' of spec is a list of at most " +
                                std::to_string(policy_limits::profiles_max) + " profiles");
    else
      for (const auto& profile : profiles->items)
        out.profiles.push_back(profile_from_node(profile, problems));
  }
  in.finish();
  std::sort(out.profiles.begin(), out.profiles.end(),
            [](const auto& a, const auto& b) { return a.name < b.name; });
  return out;
}

rule_spec rule_from_node(const yaml_node& spec, std::vector<text_problem>& problems) {
  rule_spec out;
  node_reader in{spec, "spec", problems};
  in.number("order", out.order, 0, 1'000'000);
  if (const auto* when = in.take("when")) {
    node_reader traits{*when, "when", problems};
    for (std::size_t i = 0; i < moving_traits; ++i)
      condition_from_node(*when, static_cast<moving_trait>(i), traits, out);
    traits.finish();
  }
  if (const auto* target = in.need("moveTo")) {
    in.text("moveTo", out.move_to, group_tree::path_bytes_max);
    if (auto problem = group_path_problem(out.move_to); !problem.empty())
      in.fail(target->line, "'moveTo' of spec: " + problem);
    out.move_to = bare_path(out.move_to);
  }
  in.flag("permanent", out.permanent);
  if (const auto* trust = in.take("trust")) {
    std::string word;
    in.text("trust", word, 64);
    out.trust_claimed = word == "claimed";
    if (word != "claimed" && word != "proven")
      in.fail(trust->line, "'trust' of spec is proven or claimed");
  }
  in.finish();
  return out;
}

settings_document spec_document(const group_spec& spec) {
  auto out = settings_value::empty_map();
  if (!spec.description.empty())
    out.set("description", spec.description);
  return out;
}

settings_document spec_document(const policy& spec) {
  auto out = settings_value::empty_map();
  out.set("settings", spec.values);
  set_paths(out, "locks", spec.locks);
  if (spec.profiles.empty())
    return out;
  std::vector<const policy_profile*> sorted;
  for (const auto& profile : spec.profiles)
    sorted.push_back(&profile);
  std::sort(sorted.begin(), sorted.end(),
            [](const auto* a, const auto* b) { return a->name < b->name; });
  auto& profiles = out.set("profiles", settings_value::empty_list());
  for (const auto* profile : sorted)
    profiles.as_list()->push_back(profile_document(*profile));
  return out;
}

settings_document spec_document(const rule_spec& spec) {
  auto out = settings_value::empty_map();
  if (spec.order != rule_spec{}.order)
    out.set("order", spec.order);
  if (!spec.when.empty()) {
    auto& when = out.set("when", settings_value::empty_map());
    for (const auto& condition : spec.when) {
      settings_value::list texts;
      for (const auto& text : condition.texts())
        texts.emplace_back(text);
      when.set(name_of(condition.trait),
               texts.size() == 1 ? std::move(texts.front()) : settings_value{std::move(texts)});
    }
  }
  out.set("moveTo", spec.move_to.empty() ? "/" : spec.move_to);
  if (spec.permanent)
    out.set("permanent", true);
  if (spec.trust_claimed)
    out.set("trust", "claimed");
  return out;
}

} // namespace muster::rules
