// move, tag add, tag remove; rule list, rule run, rule delete.
#include "apps/console/device_work.hpp"
#include "apps/console/fleet_orders.hpp"

#include <memory>

namespace muster::console {

namespace {

using words = std::vector<std::string>;

std::string joined(const words& from) {
  std::string out;
  for (const auto& word : from)
    out += (out.empty() ? "" : " ") + word;
  return out;
}

int assign(console& c, const std::string& target, const admin::device_assignment& change,
           const std::string& past) {
  const auto body = body_of(change);
  return for_each(c, devices_of(c, target), past, [&](const chosen_device& device) {
    c.server().post("/devices/" + device.id + "/assignment", body);
  });
}

/// The last word is the group; all before it are the target.
int move_devices(console& c, words given) {
  if (given.size() < 2)
    throw failure(exit_usage, "which devices, and where to? (see muster move --help)");
  admin::device_assignment change;
  const auto group = bare_path(given.back());
  change.set_group(group.empty() ? "/" : group);
  given.pop_back();
  // Asked here once, not of each device.
  static_cast<void>(c.server().get("/groups", {{"group", change.group()}, {"limit", "1"}}));
  return assign(c, joined(given), change, "Moved to " + change.group() + ":");
}

int change_tags(console& c, const std::string& target, const words& tags, bool add) {
  admin::device_assignment change;
  for (const auto& tag : tags)
    (add ? change.add_tags_added() : change.add_tags_removed())->assign(tag);
  return assign(c, target, change, add ? "Tagged" : "Untagged");
}

void add_tag_verb(CLI::App& tag, console& c, const char* name, const char* help, bool add) {
  auto* verb = tag.add_subcommand(name, help);
  auto target = std::make_shared<std::string>();
  auto tags = std::make_shared<words>();
  verb->add_option("target", *target, "which devices; several words in quotes")
    ->type_name("TARGET")
    ->required();
  verb->add_option("tags", *tags, "lower case letters, digits and -_.")
    ->type_name("TAG")
    ->required();
  verb->callback([&c, target, tags, add] {
    c.choose([&c, target, tags, add] { return change_tags(c, *target, *tags, add); });
  });
}

int list_rules(console& c) {
  admin::rule_list list;
  const auto result = read_pages(c.server(), "/rules", {}, {0, true}, list);
  if (c.json) {
    c.out_json(result.json);
    return exit_fine;
  }
  if (list.rules_size() == 0) {
    c.note("There are no moving rules; they are made by files: muster apply --help\n");
    return exit_fine;
  }
  c.out(rules_text(list, c.look()));
  for (const auto& one : list.rules())
    if (!one.advice().empty())
      c.note(one.name() + ": " + one.advice() + "\n");
  return exit_fine;
}

int run_rules(console& c, const words& target, bool dry_run) {
  admin::placement_order order;
  order.set_target(target.empty() ? "*" : joined(target));
  order.set_dry_run(dry_run);
  const auto json = c.server().post("/placements", body_of(order));
  const auto report = answer_as<admin::placement_report>(json);
  if (c.json)
    c.out_json(json);
  else
    c.out(placements_text(report, c.look(), dry_run));
  return dry_run && report.moved() > 0 ? exit_pending : exit_fine;
}

int delete_rule(console& c, const std::string& name, bool yes) {
  c.confirm("Delete the moving rule '" + name + "'?", yes);
  admin::fleet_order order;
  add_removed(order, rules::fleet_kind::rule, name);
  return tell(c, apply_order(c.server(), order), false);
}

void add_rule_commands(CLI::App& app, console& c) {
  auto* rule = app.add_subcommand("rule", "rules that say which group a device belongs to");
  rule->require_subcommand(1);
  auto* list = rule->add_subcommand("list", "the rules, in the order in which they are tried");
  list->callback([&c] { c.choose([&c] { return list_rules(c); }); });

  auto* run = rule->add_subcommand("run", "put devices where the rules say, claims included");
  auto target = std::make_shared<words>();
  auto dry_run = std::make_shared<bool>(false);
  run->add_option("target", *target, "which devices; all unless given")->type_name("TARGET");
  run->add_flag("--dry-run", *dry_run, "only tell who would be moved");
  run->callback([&c, target, dry_run] {
    c.choose([&c, target, dry_run] { return run_rules(c, *target, *dry_run); });
  });

  auto* remove = rule->add_subcommand("delete", "delete a rule; who was moved by it stays there");
  auto name = std::make_shared<std::string>();
  auto yes = std::make_shared<bool>(false);
  remove->add_option("rule", *name, "its name")->type_name("RULE")->required();
  remove->add_flag("--yes,-y", *yes, "do not ask");
  remove->callback(
    [&c, name, yes] { c.choose([&c, name, yes] { return delete_rule(c, *name, *yes); }); });
}

} // namespace

void add_assignment_commands(CLI::App& app, console& c) {
  auto* move = app.add_subcommand("move", "put devices into a group");
  auto given = std::make_shared<words>();
  move->add_option("words", *given, "which devices, and at the end the path of the group")
    ->type_name("TARGET... GROUP")
    ->required();
  move->callback([&c, given] { c.choose([&c, given] { return move_devices(c, *given); }); });

  auto* tag = app.add_subcommand("tag", "tags of devices, for targets and profiles");
  tag->require_subcommand(1);
  add_tag_verb(*tag, c, "add", "give devices tags", true);
  add_tag_verb(*tag, c, "remove", "take tags from devices", false);

  add_rule_commands(app, c);
}

} // namespace muster::console
