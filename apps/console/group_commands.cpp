// group list, group show, group create, group delete, group rename, group move.
#include "apps/common/utf8.hpp"
#include "apps/console/fleet_orders.hpp"

#include <algorithm>
#include <memory>

namespace muster::console {

namespace {

constexpr extent everything{0, true};

int list_groups(console& c, const std::string& below) {
  query q;
  if (!below.empty())
    q.emplace("group", below);
  admin::group_list list;
  const auto result = read_pages(c.server(), "/groups", q, everything, list);
  if (c.json)
    c.out_json(result.json);
  else
    c.out(groups_text(list, c.look()));
  return exit_fine;
}

std::uint64_t devices_in(console& c, const std::string& path) {
  const query q{{"target", "group:" + path}, {"limit", "1"}};
  return answer_as<admin::device_list>(c.server().get("/devices", q)).matching();
}

int show_group(console& c, const std::string& path) {
  admin::group_list list;
  const auto result = read_pages(c.server(), "/groups", {{"group", path}}, everything, list);
  if (c.json) {
    c.out_json(result.json);
    return exit_fine;
  }
  if (list.groups_size() == 0)
    throw failure(exit_not_found, "there is no group '" + path + "'; see: muster group list");
  admin::policy_list policies;
  static_cast<void>(read_pages(c.server(), "/policies", {{"group", path}}, everything, policies));
  const auto look = c.look();
  c.out(group_text(list.groups(0), devices_in(c, list.groups(0).path()), look));
  if (policies.policies_size() > 0)
    c.out("\n" + look.heading("Policies") + policies_text(policies, look));
  list.mutable_groups()->DeleteSubrange(0, 1);
  if (list.groups_size() > 0)
    c.out("\n" + look.heading("Groups in it") + groups_text(list, look));
  return exit_fine;
}

/// All groups there are, by their paths.
admin::group_list all_groups(console& c) {
  admin::group_list list;
  static_cast<void>(read_pages(c.server(), "/groups", {}, everything, list));
  return list;
}

bool same_path(const std::string& a, const std::string& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](unsigned char x, unsigned char y) {
    return std::tolower(x) == std::tolower(y);
  });
}

bool is_there(const admin::group_list& list, const std::string& path) {
  return path.empty() || std::any_of(list.groups().begin(), list.groups().end(),
                                     [&](const auto& one) { return same_path(one.path(), path); });
}

rules::fleet_object group_object(const std::string& path, const std::string& description) {
  rules::fleet_object out;
  out.name = path;
  out.spec = rules::group_spec{description};
  return out;
}

int create_group(console& c, const std::string& given, const std::string& description,
                 bool parents) {
  return retry_conflict([&] {
    const auto path = bare_path(given);
    const auto there = all_groups(c);
    if (is_there(there, path))
      throw failure(exit_failed, "group '" + path + "' is there already");
    admin::fleet_order order;
    order.set_expected_revision(there.revision());
    add_object(order, group_object(path, description));
    for (auto above = parent_of(path); parents && !is_there(there, above);
         above = parent_of(above))
      add_object(order, group_object(above, {}));
    return tell(c, apply_order(c.server(), order), false);
  });
}

int delete_group(console& c, const std::string& given, bool yes) {
  const auto path = bare_path(given);
  const auto devices = devices_in(c, path.empty() ? "/" : path);
  if (devices > 0)
    throw failure(exit_failed, counted(devices, "device is", "devices are") + " in '" + path +
                                 "'; move them first: muster move group:" + path + " GROUP");
  c.confirm("Delete group '" + path + "' with its policies?", yes);
  return retry_conflict([&] {
    admin::policy_list policies;
    static_cast<void>(read_pages(c.server(), "/policies", {{"group", path}}, everything, policies));
    admin::fleet_order order;
    order.set_expected_revision(policies.revision());
    for (const auto& one : policies.policies())
      add_removed(order, rules::fleet_kind::policy, one.application(), path);
    add_removed(order, rules::fleet_kind::group, path);
    return tell(c, apply_order(c.server(), order), false);
  });
}

int change_path(console& c, const std::string& path, const std::string& new_path, bool dry_run) {
  admin::group_change change;
  change.set_path(path);
  change.set_new_path(new_path);
  change.set_dry_run(dry_run);
  const auto done = change_group(c.server(), change);
  if (c.json)
    return tell(c, done, dry_run);
  c.out("Group '" + path + "' " + (dry_run ? "would be" : "is now") + " '" + new_path + "'.\n");
  if (done.result.steps_size() > 0)
    c.out(fleet_result_text(done.result, c.look(), dry_run));
  return exit_fine;
}

int rename_group(console& c, const std::string& given, const std::string& name, bool dry_run) {
  if (name.find('/') != std::string::npos)
    throw failure(exit_usage, "'" + name + "' has a slash; to put a group elsewhere: muster group "
                              "move GROUP PARENT");
  const auto path = bare_path(given);
  const auto parent = parent_of(path);
  return change_path(c, path, parent.empty() ? name : parent + "/" + name, dry_run);
}

int move_group(console& c, const std::string& given, const std::string& parent, bool dry_run) {
  const auto path = bare_path(given);
  const auto above = bare_path(parent);
  return change_path(c, path, above.empty() ? name_in(path) : above + "/" + name_in(path), dry_run);
}

struct group_flags {
  std::string path, other, description;
  bool parents = false, yes = false, dry_run = false;
};

CLI::App* add_verb(CLI::App& group, const char* name, const char* help,
                   const std::shared_ptr<group_flags>& flags, bool required = true) {
  auto* verb = group.add_subcommand(name, help);
  auto* path = verb->add_option("group", flags->path, "its path: eu/berlin")->type_name("GROUP");
  if (required)
    path->required();
  return verb;
}

void add_changes(CLI::App& group, console& c) {
  auto flags = std::make_shared<group_flags>();
  auto* rename = add_verb(group, "rename", "give a group another name", flags);
  rename->add_option("name", flags->other, "the new name, without a path")
    ->type_name("NAME")
    ->required();
  rename->add_flag("--dry-run", flags->dry_run, "only tell whether it can be done");
  rename->callback([&c, flags] {
    c.choose([&c, flags] { return rename_group(c, flags->path, flags->other, flags->dry_run); });
  });

  auto other = std::make_shared<group_flags>();
  auto* move = add_verb(group, "move", "put a group, with all below it, into another", other);
  move->add_option("parent", other->other, "the group it shall be in; /: the root")
    ->type_name("PARENT")
    ->required();
  move->add_flag("--dry-run", other->dry_run, "only tell whether it can be done");
  move->callback([&c, other] {
    c.choose([&c, other] { return move_group(c, other->path, other->other, other->dry_run); });
  });
}

} // namespace

void add_group_commands(CLI::App& app, console& c) {
  auto* group = app.add_subcommand("group", "groups of devices, as a tree");
  group->require_subcommand(1);
  auto flags = std::make_shared<group_flags>();

  auto* list = add_verb(*group, "list", "the groups there are", flags, false);
  list->callback([&c, flags] { c.choose([&c, flags] { return list_groups(c, flags->path); }); });

  auto* show = add_verb(*group, "show", "one group: devices, policies, groups in it", flags);
  show->callback([&c, flags] { c.choose([&c, flags] { return show_group(c, flags->path); }); });

  auto* create = add_verb(*group, "create", "make a group", flags);
  create->add_option("--description", flags->description, "what it is for")->type_name("TEXT");
  create->add_flag("--parents", flags->parents, "and those above it that are not there");
  create->callback([&c, flags] {
    c.choose(
      [&c, flags] { return create_group(c, flags->path, flags->description, flags->parents); });
  });

  auto* remove = add_verb(*group, "delete", "delete an empty group and its policies", flags);
  remove->add_flag("--yes,-y", flags->yes, "do not ask");
  remove->callback(
    [&c, flags] { c.choose([&c, flags] { return delete_group(c, flags->path, flags->yes); }); });

  add_changes(*group, c);
}

} // namespace muster::console
