// policy list, show, set, unset, lock, unlock, effective, delete.
#include "apps/common/utf8.hpp"
#include "apps/console/fleet_orders.hpp"
#include "apps/console/policy_edit.hpp"

#include <memory>
#include <utility>

namespace muster::console {

namespace {

struct policy_flags {
  std::string application, group, profile, value, device;
  std::vector<std::string> paths;
  bool text = false, lock = false, dry_run = false, yes = false;
};
using flags_ptr = std::shared_ptr<policy_flags>;

/// Names a policy in questions.
query query_of(const policy_flags& flags) {
  return {{"kind", "Policy"}, {"name", flags.application}, {"group", bare_path(flags.group)}};
}

[[noreturn]] void no_such_policy(const policy_flags& flags) {
  const auto group = bare_path(flags.group);
  throw failure(exit_not_found, "there is no policy '" + flags.application + "' of group '" +
                                  (group.empty() ? "/" : group) + "'; see: muster policy list");
}

/// The policy, or a new one.
rules::fleet_object policy_in(const exported& from, const policy_flags& flags) {
  auto objects = objects_in(from);
  if (!objects.empty() && std::holds_alternative<rules::policy>(objects.front().spec))
    return std::move(objects.front());
  rules::policy fresh;
  fresh.name = flags.application;
  fresh.group = bare_path(flags.group);
  rules::fleet_object out;
  out.name = fresh.name;
  out.group = fresh.group;
  out.spec = std::move(fresh);
  return out;
}

int edit_policy(console& c, const policy_flags& flags,
                const std::function<void(const policy_part&)>& edit) {
  return retry_conflict([&] {
    const auto now = export_of(c.server(), query_of(flags));
    auto object = policy_in(now, flags);
    edit({std::get<rules::policy>(object.spec), flags.profile});
    admin::fleet_order order;
    order.set_expected_revision(now.revision);
    order.set_dry_run(flags.dry_run);
    add_object(order, object);
    return tell(c, apply_order(c.server(), order), flags.dry_run);
  });
}

int set(console& c, const policy_flags& flags) {
  const auto at = path_of(flags.paths.front());
  return edit_policy(c, flags, [&](const policy_part& in) {
    set_value(in, at, value_of(flags.value, flags.text));
    if (flags.lock)
      lock_path(in, at);
  });
}

int for_paths(console& c, const policy_flags& flags,
              void (*change)(const policy_part&, const rules::settings_path&)) {
  return edit_policy(c, flags, [&](const policy_part& in) {
    for (const auto& text : flags.paths)
      change(in, path_of(text));
  });
}

int list_policies(console& c, const policy_flags& flags) {
  query q;
  if (!flags.application.empty())
    q.emplace("application", flags.application);
  if (!flags.group.empty())
    q.emplace("group", flags.group);
  admin::policy_list list;
  const auto result = read_pages(c.server(), "/policies", q, {0, true}, list);
  if (c.json)
    c.out_json(result.json);
  else if (list.policies_size() == 0)
    c.note("There are no such policies; make one: muster policy set APPLICATION SETTING VALUE\n");
  else
    c.out(policies_text(list, c.look()));
  return exit_fine;
}

int show_policy(console& c, const policy_flags& flags) {
  const auto found = export_of(c.server(), query_of(flags));
  if (found.yaml.empty())
    no_such_policy(flags);
  c.out(found.yaml);
  return exit_fine;
}

int show_effective(console& c, const policy_flags& flags) {
  const auto id = device_id_of(c.server(), flags.device);
  const auto json = c.server().get("/devices/" + id + "/settings/effective",
                                   {{"application", flags.application}});
  if (c.json)
    c.out_json(json);
  else
    c.out(effective_text(answer_as<admin::effective_settings>(json), c.look()));
  return exit_fine;
}

int delete_policy(console& c, const policy_flags& flags) {
  const auto group = bare_path(flags.group);
  c.confirm("Delete the policy '" + flags.application + "' of group '" +
              (group.empty() ? "/" : group) + "'?",
            flags.yes);
  admin::fleet_order order;
  add_removed(order, rules::fleet_kind::policy, flags.application, group);
  return tell(c, apply_order(c.server(), order), false);
}

CLI::App* add_verb(CLI::App& policy, const char* name, const char* help, const flags_ptr& flags) {
  auto* verb = policy.add_subcommand(name, help);
  verb->add_option("application", flags->application, "whose settings: sshd, chrony ...")
    ->type_name("APPLICATION");
  verb->add_option("--group", flags->group, "the policy of this group; the root unless given")
    ->type_name("GROUP");
  return verb;
}

void add_edit(CLI::App& policy, console& c, const char* name, const char* help,
              void (*change)(const policy_part&, const rules::settings_path&)) {
  auto flags = std::make_shared<policy_flags>();
  auto* verb = add_verb(policy, name, help, flags);
  verb->get_option("application")->required();
  verb->add_option("settings", flags->paths, "their paths: server.port")
    ->type_name("SETTING")
    ->required();
  verb->add_option("--profile", flags->profile, "in this profile of the policy")
    ->type_name("PROFILE");
  verb->add_flag("--dry-run", flags->dry_run, "only tell what would be changed");
  verb->callback([&c, flags, change] {
    c.choose([&c, flags, change] { return for_paths(c, *flags, change); });
  });
}

void add_set(CLI::App& policy, console& c) {
  auto flags = std::make_shared<policy_flags>();
  auto* verb = add_verb(policy, "set", "give a setting a value", flags);
  verb->get_option("application")->required();
  flags->paths.resize(1);
  verb->add_option("setting", flags->paths.front(), "its path: server.port")
    ->type_name("SETTING")
    ->required();
  verb->add_option("value", flags->value, "22, true, 1.5, a text, [a, b]")
    ->type_name("VALUE")
    ->required();
  verb->add_flag("--text", flags->text, "the value is a text, whatever it looks like");
  verb->add_flag("--lock", flags->lock, "nobody below may change it");
  verb->add_option("--profile", flags->profile, "in this profile of the policy")
    ->type_name("PROFILE");
  verb->add_flag("--dry-run", flags->dry_run, "only tell what would be changed");
  verb->callback([&c, flags] { c.choose([&c, flags] { return set(c, *flags); }); });
}

void add_effective(CLI::App& policy, console& c) {
  auto* verb = policy.add_subcommand(
    "effective", "what holds on a device, where each value comes from, and who locked it");
  auto flags = std::make_shared<policy_flags>();
  verb->add_option("device", flags->device, "name or id")->type_name("DEVICE")->required();
  verb->add_option("application", flags->application, "whose settings")
    ->type_name("APPLICATION")
    ->required();
  verb->callback([&c, flags] { c.choose([&c, flags] { return show_effective(c, *flags); }); });
}

} // namespace

void add_policy_commands(CLI::App& app, console& c) {
  auto* policy = app.add_subcommand("policy", "settings of applications, by group");
  policy->require_subcommand(1);

  auto listed = std::make_shared<policy_flags>();
  auto* list = add_verb(*policy, "list", "the policies there are", listed);
  list->callback([&c, listed] { c.choose([&c, listed] { return list_policies(c, *listed); }); });

  auto shown = std::make_shared<policy_flags>();
  auto* show = add_verb(*policy, "show", "one policy, as the file that makes it", shown);
  show->get_option("application")->required();
  show->callback([&c, shown] { c.choose([&c, shown] { return show_policy(c, *shown); }); });

  add_set(*policy, c);
  add_edit(*policy, c, "unset", "say nothing of settings any more", unset_value);
  add_edit(*policy, c, "lock", "let nobody below change settings", lock_path);
  add_edit(*policy, c, "unlock", "let them be changed below again", unlock_path);
  add_effective(*policy, c);

  auto removed = std::make_shared<policy_flags>();
  auto* remove = add_verb(*policy, "delete", "delete a policy; its history stays", removed);
  remove->get_option("application")->required();
  remove->add_flag("--yes,-y", removed->yes, "do not ask");
  remove->callback(
    [&c, removed] { c.choose([&c, removed] { return delete_policy(c, *removed); }); });

  add_history_commands(*policy, c);
}

} // namespace muster::console
