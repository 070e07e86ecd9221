// Where devices belong: their group and tags, stored before anybody sees them.
#include "actors/server/audit.hpp"
#include "actors/server/device_tags.hpp"
#include "actors/server/directory.hpp"
#include "actors/server/document_depot.hpp"

#include <memory>
#include <utility>

namespace muster::actors {

namespace {

std::string shown(const std::string& path) {
  return "/" + path;
}

std::string what_changed(const assignment_order& order, const std::string& path) {
  std::string out;
  const auto add = [&](const std::string& text) { out.append(out.empty() ? "" : " ").append(text); };
  if (order.group)
    add("group " + shown(path));
  for (const auto& tag : order.tags_added)
    add("+" + tag);
  for (const auto& tag : order.tags_removed)
    add("-" + tag);
  return out;
}

} // namespace

rules::group_id directory_state::group_of(const device_entry& entry) const {
  if (fleet_)
    return standing_group_of(*fleet_, entry.group);
  return entry.group != 0 ? rules::group_id{entry.group} : rules::group_tree::unassigned;
}

const std::string& directory_state::path_of(rules::group_id group) const {
  const auto [at, fresh] = paths_.try_emplace(group);
  if (fresh && fleet_)
    at->second = fleet_->groups.path(group);
  return at->second;
}

caf::result<bool> directory_state::assign(const device_id& device,
                                          const assignment_order_ptr& order) {
  const auto* const entry = devices_->find(device);
  if (entry == nullptr)
    return false;
  if (!fleet_)
    return make_error(errc::overloaded, "the groups are not loaded yet");
  if (order->group && !fleet_->groups.has(*order->group))
    return make_error(errc::refused, "there is no such group");
  if (auto problem = tags_problem(order->tags_added, order->tags_removed); !problem.empty())
    return make_error(errc::invalid, std::move(problem));
  const auto before = devices_->text(entry->tags);
  const auto tags = changed_tags(before, order->tags_added, order->tags_removed);
  if (tags.size() > tags_max)
    return make_error(errc::refused,
                      "a device has at most " + std::to_string(tags_max) + " tags");
  if (changing_.contains(device) || !moving_.try_emplace(device, false).second)
    return make_error(errc::overloaded, "the device is being moved or removed already; try again");
  const bool retagged = join_tags(tags) != before;
  moving one;
  one.device = device;
  one.to = {order->group ? order->group->number : entry->group, join_tags(tags),
            entry->settled || order->group};
  one.who = order->who;
  if (one.who.action.empty())
    one.who.action = "device.assign";
  if (one.who.subject.empty())
    one.who.subject = device.text();
  if (one.who.detail.empty())
    one.who.detail = what_changed(*order, order->group ? path_of(*order->group) : "");
  auto answer = self_->make_response_promise<bool>();
  write_moves({std::move(one)}, durability::command,
              [this, device, answer, look = retagged && !order->group](
                const caf::error& why) mutable {
                if (look && !why)
                  moving_[device] = true; // a rule may go by tags
                if (why)
                  answer.deliver(why);
                else
                  answer.deliver(true);
              });
  return answer;
}

/// Of devices that are in moving_. `then` is called before they may be moved again.
void directory_state::write_moves(std::vector<moving> moves, durability how,
                                  std::function<void(const caf::error&)> then) {
  auto changes = std::make_shared<storage::change_batch>();
  const auto now_us = options_.now();
  for (const auto& one : moves) {
    changes->push_back(assignment_change(one.device, one.to, now_us, one.who.actor));
    if (!one.quiet)
      changes->push_back(audit_change(one.who, now_us));
  }
  const auto all = std::make_shared<const std::vector<moving>>(std::move(moves));
  self_->request(options_.writer, caf::infinite, atom::put_v, change_batch_ptr{std::move(changes)}, how)
    .then(
      [this, all, then](caf::ok_atom) {
        for (const auto& one : *all)
          on_moved(one);
        then({});
        for (const auto& one : *all)
          end_moving(one.device);
      },
      [this, all, then](const caf::error& why) { // as if nobody had asked
        then(why);
        for (const auto& one : *all)
          end_moving(one.device);
      });
}

void directory_state::on_moved(const moving& one) {
  auto* const entry = devices_->find(one.device);
  if (entry == nullptr)
    return; // removed meanwhile; the search that follows a removal finds what we have stored
  const auto from = group_of(*entry);
  entry->group = one.to.group;
  entry->settled = one.to.settled;
  devices_->set_text(entry->tags, one.to.tags);
  if (const auto to = group_of(*entry); to != from) {
    auto event = std::make_shared<raised_event>();
    event->type = "device.moved";
    event->text = entry->name + " was moved from " + shown(path_of(from)) + " to " +
                  shown(path_of(to)) +
                  (one.rule.empty() ? " by " + one.who.actor : " by the rule " + one.rule);
    event->attributes = {{"from", shown(path_of(from))}, {"to", shown(path_of(to))}};
    if (!one.rule.empty())
      event->attributes["rule"] = one.rule;
    event->device_name = entry->name;
    self_->send(options_.event_book, atom::raise_v, one.device, raised_event_ptr{std::move(event)});
  }
}

void directory_state::end_moving(const device_id& device) {
  const auto found = moving_.find(device);
  const bool again = found->second;
  moving_.erase(found);
  auto* const entry = devices_->find(device);
  if (entry == nullptr)
    return;
  tell_documents(*entry);
  if (again)
    consider(*entry,
             entry->settled ? rules::moving_occasion::changed : rules::moving_occasion::enrolled, {});
}

} // namespace muster::actors
