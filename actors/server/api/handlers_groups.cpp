// The order of the fleet: groups, policies and rules as lists, groups renamed and moved, devices put
// into groups.

#include "actors/server/api/fleet_page.hpp"
#include "actors/server/api/handlers.hpp"
#include "actors/server/api/present_fleet.hpp"

#include <algorithm>
#include <memory>
#include <tuple>
#include <utility>
#include <vector>

namespace muster::actors::api {

namespace {

/// For lists of moves: all shards together, as many as one report has.
constexpr std::size_t moves_max = 1'000;

void send_order(const exchange_ptr& x, const group_order_ptr& order) {
  x->self->request(x->services->policy_book, caf::infinite, atom::apply_v, order)
    .then([x](const fleet_answer_ptr& answer) { x->reply(reply_to_order(*answer)); },
          x->or_fail());
}

/// What an assignment changes, for the audit: "web-1: to eu/berlin, +laptop -old".
std::string told(const device_row& row, const admin::device_assignment& body) {
  std::string changes;
  for (const auto& tag : body.tags_added())
    changes += " +" + tag;
  for (const auto& tag : body.tags_removed())
    changes += " -" + tag;
  if (!body.group().empty())
    changes = " to " + body.group() + (changes.empty() ? "" : ",") + changes;
  return row.name + ":" + changes;
}

/// Empty, or what is wrong with the tags.
template <class Tags>
std::string problem_of_tags(const char* where, const Tags& tags) {
  if (static_cast<std::size_t>(tags.size()) > tags_max)
    return std::string{"'"} + where + "' has more than " + std::to_string(tags_max) + " tags";
  for (const auto& tag : tags)
    if (auto problem = tag_problem(tag); !problem.empty())
      return std::string{"'"} + where + "': '" + tag + "': " + problem;
  return {};
}

void assign(const exchange_ptr& x, const device_row& row, std::optional<rules::group_id> group) {
  const auto& body = x->asked->body_as<admin::device_assignment>();
  auto order = std::make_shared<assignment_order>();
  order->group = group;
  order->tags_added = {body.tags_added().begin(), body.tags_added().end()};
  order->tags_removed = {body.tags_removed().begin(), body.tags_removed().end()};
  order->who = *x->audit("device.assign", row.device.text(), told(row, body));
  x->self
    ->request(x->services->directory_of(row.device), caf::infinite, atom::assign_v, row.device,
              assignment_order_ptr{std::move(order)})
    .then([x](bool known) { x->reply(known ? no_content() : no_such_device()); }, x->or_fail());
}

/// One report out of those of the shards.
admin::placement_report joined(const std::vector<placement_report_ptr>& shares) {
  std::vector<const placement_report::move*> moves;
  admin::placement_report out;
  for (const auto& share : shares) {
    out.set_looked_at(out.looked_at() + share->looked_at);
    out.set_moved(out.moved() + share->moved);
    for (const auto& one : share->moves)
      moves.push_back(&one);
  }
  std::sort(moves.begin(), moves.end(), [](const auto* a, const auto* b) {
    return std::tie(a->name, a->device) < std::tie(b->name, b->device);
  });
  moves.resize(std::min(moves.size(), moves_max));
  for (const auto* const one : moves)
    present(*one, *out.add_moves());
  return out;
}

} // namespace

void with_fleet(const exchange_ptr& x, std::function<void(const fleet_snapshot_ptr&)> then) {
  x->self->request(x->services->policy_book, caf::infinite, atom::get_v)
    .then([then = std::move(then)](const fleet_snapshot_ptr& fleet) { then(fleet); },
          x->or_fail());
}

void list_groups(const exchange_ptr& x) {
  with_fleet(x, [x](const fleet_snapshot_ptr& fleet) {
    const auto path = x->asked->group.value_or("/");
    const auto top = find_group(*fleet, path);
    if (!top)
      return x->reply(no_such_group(path));
    reply_page<admin::group_list>(
      x, fleet->revision, fleet->groups.subtree(*top),
      [&](rules::group_id id, admin::group_list& out) { present(*fleet, id, *out.add_groups()); });
  });
}

void change_group(const exchange_ptr& x) {
  const auto& body = x->asked->body_as<admin::group_change>();
  if (body.path().empty() || body.new_path().empty())
    return x->reply(problem(400, "'path' and 'newPath' say which group, and what it is from now on"));
  auto order = std::make_shared<group_order>();
  order->path = body.path();
  order->new_path = body.new_path();
  order->dry_run = body.dry_run();
  order->who = *x->audit("group.change", body.path(), "to " + body.new_path());
  send_order(x, group_order_ptr{std::move(order)});
}

void list_policies(const exchange_ptr& x) {
  with_fleet(x, [x](const fleet_snapshot_ptr& fleet) {
    struct row {
      std::string application, path;
      const standing_policy* policy;
    };
    std::vector<row> rows;
    std::optional<rules::group_id> only;
    if (const auto& path = x->asked->group; path && !(only = find_group(*fleet, *path)))
      return x->reply(no_such_group(*path));
    for (const auto& [id, policies] : fleet->policies)
      for (const auto& [application, standing] : policies)
        if ((!only || *only == id) &&
            (!x->asked->application || *x->asked->application == application))
          rows.push_back({application, fleet->groups.path(id), &standing});
    std::sort(rows.begin(), rows.end(), [](const row& a, const row& b) {
      return std::tie(a.application, a.path) < std::tie(b.application, b.path);
    });
    reply_page<admin::policy_list>(x, fleet->revision, rows,
                                   [](const row& one, admin::policy_list& out) {
                                     present(one.path, *one.policy, *out.add_policies());
                                   });
  });
}

void list_rules(const exchange_ptr& x) {
  with_fleet(x, [x](const fleet_snapshot_ptr& fleet) {
    const auto& moving = fleet->moving;
    const auto as_applied = [&](const std::string& name) -> const rules::moving_rule* {
      const auto at = std::find_if(moving.begin(), moving.end(),
                                   [&](const auto& one) { return one.name == name; });
      return at == moving.end() ? nullptr : &*at;
    };
    reply_page<admin::rule_list>(
      x, fleet->revision, fleet->rules, [&](const standing_object& one, admin::rule_list& out) {
        present(one, as_applied(one.object.name), *out.add_rules());
      });
  });
}

void assign_device(const exchange_ptr& x) {
  const auto& body = x->asked->body_as<admin::device_assignment>();
  if (body.group().empty() && body.tags_added().empty() && body.tags_removed().empty())
    return x->reply(problem(400, "nothing is to be changed: give 'group', 'tagsAdded' or "
                                 "'tagsRemoved'"));
  for (const auto& wrong : {problem_of_tags("tagsAdded", body.tags_added()),
                            problem_of_tags("tagsRemoved", body.tags_removed())})
    if (!wrong.empty())
      return x->reply(problem(400, wrong));
  with_device(x, [x, &body](const device_row& row) {
    if (body.group().empty())
      return assign(x, row, std::nullopt);
    with_fleet(x, [x, row, &body](const fleet_snapshot_ptr& fleet) {
      const auto group = find_group(*fleet, body.group());
      if (!group)
        return x->reply(no_such_group(body.group()));
      assign(x, row, group);
    });
  });
}

void run_rules(const exchange_ptr& x) {
  const auto& body = x->asked->body_as<admin::placement_order>();
  if (body.target().find_first_not_of(' ') == std::string::npos)
    return x->reply(problem(400, "'target' is empty; for every device say '*'"));
  auto order = std::make_shared<placement_order>();
  order->target = body.target();
  order->dry_run = body.dry_run();
  order->who = *x->audit("rules.run", body.target());
  const auto shares = std::make_shared<std::vector<placement_report_ptr>>();
  const auto all = gather([x, shares] { x->reply(200, joined(*shares)); });
  for (const auto& shard : x->services->directories)
    all->ask<placement_report_ptr>(
      x, shard, [shares](const placement_report_ptr& share) { shares->push_back(share); },
      atom::place_v, placement_order_ptr{order});
  all->arrive();
}

} // namespace muster::actors::api
