#include "actors/rules/fleet_document.hpp"

#include "actors/rules/fleet_spec.hpp"
#include "actors/rules/group_tree.hpp"

#include <algorithm>
#include <array>
#include <optional>

namespace muster::rules {

namespace {

constexpr std::array<std::string_view, fleet_kinds> kind_names{"Group", "Policy", "Rule", "Task"};

std::optional<fleet_kind> kind_of(std::string_view name) noexcept {
  const auto at = std::find(kind_names.begin(), kind_names.end(), name);
  return at == kind_names.end() ? std::nullopt
                                : std::optional{static_cast<fleet_kind>(at - kind_names.begin())};
}

std::string naming_problem(fleet_kind kind, std::string_view name) {
  if (kind == fleet_kind::policy) {
    auto problem = application_name_problem(name);
    return problem.empty() ? problem : "the name of an application " + problem;
  }
  if (kind != fleet_kind::group)
    return group_name_problem(name).empty()
             ? ""
             : "a name is made of 1 to 64 letters a to z, digits, '-', '_' and '.'";
  const auto path = bare_path(name);
  if (path.empty() || lower_case(path) == group_tree::unassigned_name)
    return "the root and 'unassigned' are always there";
  if (lower_case(path).starts_with(std::string{group_tree::unassigned_name} + "/"))
    return "there can be no groups in 'unassigned'";
  return group_path_problem(name);
}

/// The spec of an object whose name and group are known.
void read_spec(fleet_object& out, fleet_kind kind, const yaml_node& spec,
               std::vector<text_problem>& problems) {
  const auto before = problems.size();
  switch (kind) {
  case fleet_kind::group:
    out.spec = group_from_node(spec, problems);
    break;
  case fleet_kind::rule:
    out.spec = rule_from_node(spec, problems);
    break;
  case fleet_kind::task:
    out.spec = task_from_node(spec, problems);
    break;
  case fleet_kind::policy: {
    auto read = policy_from_node(spec, problems);
    read.name = out.name;
    read.group = out.group;
    if (problems.size() == before)
      if (auto problem = problem_with(read); !problem.empty())
        problems.push_back({spec.line, "spec: " + problem});
    out.spec = std::move(read);
    break;
  }
  }
}

fleet_object read_object(const yaml_node& document, std::vector<text_problem>& problems) {
  fleet_object out;
  out.line = document.line;
  node_reader in{document, "the document", problems};
  if (document.kind != value_kind::map)
    return out;
  std::string version;
  std::string kind_name;
  if (const auto* at = in.need("apiVersion")) {
    in.text("apiVersion", version, 64);
    if (version != fleet_api_version)
      in.fail(at->line, "'apiVersion' is " + std::string{fleet_api_version});
  }
  const auto* kind_node = in.need("kind");
  in.text("kind", kind_name, 64);
  const auto kind = kind_of(kind_name);
  if (kind_node != nullptr && !kind)
    in.fail(kind_node->line, "'kind' is Group, Policy, Rule or Task");
  const auto* metadata = in.need("metadata");
  if (metadata != nullptr && kind) {
    node_reader names{*metadata, "metadata", problems};
    const auto* name = names.need("name");
    names.text("name", out.name, group_tree::path_bytes_max);
    if (auto problem = name == nullptr ? "" : naming_problem(*kind, out.name); !problem.empty())
      names.fail(name->line, "'name' of metadata: " + problem);
    if (*kind == fleet_kind::group)
      out.name = bare_path(out.name);
    if (*kind == fleet_kind::policy) {
      names.text("group", out.group, group_tree::path_bytes_max);
      if (auto problem = group_path_problem(out.group); !problem.empty())
        names.fail(metadata->line, "'group' of metadata: " + problem);
      out.group = bare_path(out.group);
    }
    names.finish();
  }
  static const yaml_node nothing;
  const auto* spec = kind == fleet_kind::group ? in.take("spec") : in.need("spec");
  if (kind && (spec != nullptr || kind == fleet_kind::group))
    read_spec(out, *kind, spec != nullptr ? *spec : nothing, problems);
  in.finish();
  return out;
}

std::vector<std::string> as_lines(std::vector<text_problem> problems, std::string_view file) {
  std::stable_sort(problems.begin(), problems.end(),
                   [](const auto& a, const auto& b) { return a.line < b.line; });
  std::vector<std::string> out;
  for (const auto& problem : problems) {
    if (out.size() == fleet_problems_max) {
      out.push_back(std::string{file} + ": and " + std::to_string(problems.size() - out.size()) +
                    " more");
      break;
    }
    auto line = std::string{file} + (problem.line == 0 ? "" : ":" + std::to_string(problem.line)) +
                ": " + problem.what;
    for (auto& c : line) // names and texts are quoted in problems
      c = static_cast<unsigned char>(c) < 0x20 || c == 0x7f ? ' ' : c;
    out.push_back(std::move(line));
  }
  return out;
}

settings_document whole_document(const fleet_object& object) {
  auto out = settings_value::empty_map();
  out.set("apiVersion", std::string{fleet_api_version});
  out.set("kind", std::string{name_of(object.kind())});
  auto& metadata = out.set("metadata", settings_value::empty_map());
  metadata.set("name", object.name);
  if (!object.group.empty())
    metadata.set("group", object.group);
  auto spec = spec_document(object);
  if (!spec.as_map()->empty())
    out.set("spec", std::move(spec));
  return out;
}

} // namespace

fleet_key fleet_object::key() const {
  const bool path = kind() == fleet_kind::group;
  return {kind(), lower_case(group), path ? lower_case(name) : name};
}

fleet_result read_fleet(std::string_view text, std::string_view file) {
  fleet_result out;
  text_problem problem;
  const auto documents = read_yaml(text, problem);
  if (!documents) {
    out.problems = as_lines({problem}, file);
    return out;
  }
  std::vector<text_problem> problems;
  for (const auto& document : *documents) {
    const auto before = problems.size();
    auto object = read_object(document, problems);
    if (problems.size() > before)
      continue;
    object.file = file;
    out.objects.push_back(std::move(object));
  }
  out.problems = as_lines(std::move(problems), file);
  return out;
}

settings_document spec_document(const fleet_object& object) {
  if (const auto* task = std::get_if<task_spec>(&object.spec))
    return task_document(*task);
  if (const auto* rule = std::get_if<rule_spec>(&object.spec))
    return spec_document(*rule);
  if (const auto* p = std::get_if<policy>(&object.spec))
    return spec_document(*p);
  return spec_document(std::get<group_spec>(object.spec));
}

std::optional<fleet_object> fleet_object_from(fleet_kind kind, std::string_view group,
                                              std::string_view name, const settings_document& spec,
                                              std::string& problem) {
  fleet_object out;
  out.name = name;
  out.group = kind == fleet_kind::policy ? group : std::string_view{};
  problem = naming_problem(kind, name);
  if (problem.empty())
    problem = group_path_problem(out.group);
  std::vector<text_problem> problems;
  read_spec(out, kind, node_of(spec), problems);
  if (problem.empty() && !problems.empty())
    problem = problems.front().what;
  return problem.empty() ? std::optional{std::move(out)} : std::nullopt;
}

moving_rule moving_rule_of(std::string_view name, const rule_spec& spec, group_id target) {
  return {std::string{name}, spec.when, target, spec.permanent, spec.trust_claimed};
}

std::string export_fleet(std::span<const fleet_object> objects) {
  std::vector<const fleet_object*> sorted;
  for (const auto& object : objects)
    sorted.push_back(&object);
  std::sort(sorted.begin(), sorted.end(),
            [](const auto* a, const auto* b) { return a->key() < b->key(); });
  std::string out;
  for (const auto* object : sorted)
    (out += out.empty() ? "" : "---\n") += to_yaml(whole_document(*object));
  return out;
}

std::string_view name_of(fleet_kind kind) noexcept {
  return kind_names[static_cast<std::size_t>(kind)];
}

std::string title_of(const fleet_object& object) {
  auto out = lower_case(name_of(object.kind())) + " '" + object.name + "'";
  if (object.kind() == fleet_kind::policy)
    out += " of group '" + (object.group.empty() ? "/" : object.group) + "'";
  return out;
}

} // namespace muster::rules
