// policy history, policy rollback.
#include "apps/console/fleet_orders.hpp"

#include <memory>

namespace muster::console {

namespace {

struct history_flags {
  std::string application, group;
  extent wanted{20, false};
  bool diff = false, dry_run = false, yes = false;
  std::uint64_t revision = 0; ///< 0: before the last change
};

query query_of(const history_flags& flags) {
  return {{"kind", "Policy"}, {"name", flags.application}, {"group", bare_path(flags.group)}};
}

/// What a version says; an empty map when there is none, or it is of another version of Muster.
rules::settings_document spec_of(const admin::fleet_version* version) {
  if (version == nullptr || version->removed())
    return rules::settings_value::empty_map();
  const auto read = rules::read_fleet(version->document(), "a version");
  return read.objects.empty() ? rules::settings_value::empty_map()
                              : rules::spec_document(read.objects.front());
}

std::vector<rules::settings_change> changes_of(const admin::fleet_version& now,
                                               const admin::fleet_version* before) {
  return rules::difference(spec_of(before), spec_of(&now));
}

int show_history(console& c, const history_flags& flags) {
  admin::fleet_history list;
  const auto result =
    read_pages(c.server(), "/fleet/history", query_of(flags), flags.wanted, list);
  if (c.json) {
    c.out_json(result.json);
    return exit_fine;
  }
  std::vector<version_changes> changes;
  for (int i = 0; i < list.versions_size(); ++i) {
    const bool last = i + 1 == list.versions_size();
    // Of the oldest one that was read it is not known what it changed, unless it is the first.
    const bool known = !last || !result.more;
    changes.push_back(
      {&list.versions(i), last && known,
       known ? changes_of(list.versions(i), last ? nullptr : &list.versions(i + 1))
             : std::vector<rules::settings_change>{}});
  }
  c.out(history_text(changes, c.look(), flags.diff));
  if (result.more)
    c.note("There are older ones; --all shows every one.\n");
  return exit_fine;
}

/// As it was at that revision of the fleet, or before its last change. Null when it was not there yet.
const admin::fleet_version* version_at(const admin::fleet_history& list, std::uint64_t revision) {
  if (revision == 0)
    return list.versions_size() < 2 ? nullptr : &list.versions(1);
  for (const auto& one : list.versions())
    if (one.revision() <= revision)
      return &one;
  return nullptr;
}

int roll_back(console& c, const history_flags& flags) {
  return retry_conflict([&] {
    const auto fleet = export_of(c.server(), query_of(flags)).revision;
    admin::fleet_history list;
    static_cast<void>(
      read_pages(c.server(), "/fleet/history", query_of(flags), {0, true}, list));
    const auto* const to = version_at(list, flags.revision);
    if (list.versions_size() == 0 || (flags.revision == 0 && to == nullptr))
      throw failure(exit_not_found, "the policy '" + flags.application +
                                      "' has no earlier version; see: muster policy history");
    admin::fleet_order order;
    order.set_expected_revision(fleet);
    order.set_dry_run(flags.dry_run);
    if (to == nullptr || to->removed()) {
      c.confirm("It was not there then. Delete it?", flags.yes || flags.dry_run);
      add_removed(order, rules::fleet_kind::policy, flags.application, bare_path(flags.group));
    } else {
      auto& file = *order.add_files();
      file.set_name("revision " + std::to_string(to->revision()));
      file.set_text(to->document());
    }
    return tell(c, apply_order(c.server(), order), flags.dry_run);
  });
}

CLI::App* add_verb(CLI::App& policy, const char* name, const char* help,
                   const std::shared_ptr<history_flags>& flags) {
  auto* verb = policy.add_subcommand(name, help);
  verb->add_option("application", flags->application, "whose settings")
    ->type_name("APPLICATION")
    ->required();
  verb->add_option("--group", flags->group, "the policy of this group; the root unless given")
    ->type_name("GROUP");
  return verb;
}

} // namespace

void add_history_commands(CLI::App& policy, console& c) {
  auto shown = std::make_shared<history_flags>();
  auto* history = add_verb(policy, "history", "what was changed, when, by whom", shown);
  history->add_flag("--diff", shown->diff, "with the values before and after");
  add_extent(*history, shown->wanted);
  history->callback([&c, shown] { c.choose([&c, shown] { return show_history(c, *shown); }); });

  auto back = std::make_shared<history_flags>();
  auto* rollback = add_verb(policy, "rollback", "make it what it was before", back);
  rollback->add_option("--to", back->revision, "as it was at this revision; else one change back")
    ->type_name("REVISION");
  rollback->add_flag("--dry-run", back->dry_run, "only tell what would be changed");
  rollback->add_flag("--yes,-y", back->yes, "do not ask");
  rollback->callback([&c, back] { c.choose([&c, back] { return roll_back(c, *back); }); });
}

} // namespace muster::console
