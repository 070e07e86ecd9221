// apply, export.
#include "actors/rules/fleet_document.hpp"
#include "apps/console/fleet_files.hpp"
#include "apps/console/fleet_orders.hpp"

#include <algorithm>
#include <memory>

namespace muster::console {

namespace {

struct apply_flags {
  std::vector<std::string> files;
  bool dry_run = false, prune = false, yes = false;
};

struct export_flags {
  std::string kind, name, group;
};

admin::fleet_order order_of(const apply_flags& flags) {
  admin::fleet_order order;
  for (auto& file : read_fleet_files(flags.files)) {
    auto& one = *order.add_files();
    one.set_name(std::move(file.name));
    one.set_text(std::move(file.text));
  }
  order.set_prune(flags.prune);
  if (body_of(order).size() > net::limits::http_body_bytes_max)
    throw failure(exit_usage, "the files are more than the server takes at once (" +
                                amount(net::limits::http_body_bytes_max) +
                                " together); apply them in parts, without --prune");
  return order;
}

std::uint64_t removals_of(const admin::fleet_result& result) {
  return static_cast<std::uint64_t>(
    std::count_if(result.steps().begin(), result.steps().end(),
                  [](const auto& step) { return step.action() == "remove"; }));
}

/// What goes is shown first, and goes only from the fleet that was shown.
void ask_about_removals(console& c, admin::fleet_order& order, bool yes) {
  order.set_dry_run(true);
  const auto would = apply_order(c.server(), order);
  order.set_dry_run(false);
  order.set_expected_revision(would.result.revision());
  const auto removals = removals_of(would.result);
  if (removals == 0 || yes)
    return;
  if (c.world().person.can_ask())
    c.note(fleet_result_text(would.result, c.look(), true));
  c.confirm(counted(removals, "thing goes", "things go") + " that no file names. Go on?", false);
}

int apply_files(console& c, const apply_flags& flags) {
  auto order = order_of(flags);
  if (flags.prune && !flags.dry_run)
    ask_about_removals(c, order, flags.yes);
  order.set_dry_run(flags.dry_run);
  return tell(c, apply_order(c.server(), order), flags.dry_run);
}

int export_files(console& c, const export_flags& flags) {
  query q;
  for (const auto& [name, value] : {std::pair{"kind", flags.kind}, std::pair{"name", flags.name},
                                    std::pair{"group", flags.group}})
    if (!value.empty())
      q.emplace(name, value);
  const auto found = export_of(c.server(), q);
  if (found.yaml.empty() && !q.empty())
    throw failure(exit_not_found, "there is nothing of that kind and name");
  c.out(found.yaml);
  return exit_fine;
}

} // namespace

void add_file_commands(CLI::App& app, console& c) {
  auto* apply = app.add_subcommand("apply", "make groups, policies and rules as files say (tasks are kept, and not run yet)");
  auto flags = std::make_shared<apply_flags>();
  apply->add_option("-f,--file", flags->files, "a file, a folder with .yaml files, or - for stdin")
    ->type_name("FILE")
    ->required();
  apply->add_flag("--dry-run", flags->dry_run, "only tell what would be done");
  apply->add_flag("--prune", flags->prune, "what no file names goes");
  apply->add_flag("--yes,-y", flags->yes, "do not ask about what goes");
  apply->callback([&c, flags] { c.choose([&c, flags] { return apply_files(c, *flags); }); });

  auto* out = app.add_subcommand("export", "groups, policies, rules and tasks as YAML for apply");
  auto which = std::make_shared<export_flags>();
  out->add_option("--kind", which->kind, "only these")
    ->type_name("KIND")
    ->check(CLI::IsMember({"Group", "Policy", "Rule", "Task"}, CLI::ignore_case));
  out->add_option("--name", which->name, "of a group its path, of a policy its application")
    ->type_name("NAME");
  out->add_option("--group", which->group, "only policies of this group")->type_name("GROUP");
  out->callback([&c, which] { c.choose([&c, which] { return export_files(c, *which); }); });
}

} // namespace muster::console
