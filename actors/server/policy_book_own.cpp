// What was set for single devices.
#include "actors/errc.hpp"
#include "actors/rules/agent_policy.hpp"
#include "actors/rules/connector.hpp"
#include "actors/rules/policy_document.hpp"
#include "actors/rules/settings_diff.hpp"
#include "actors/server/audit.hpp"
#include "actors/server/policy_book.hpp"
#include "actors/server/policy_book_limits.hpp"
#include "storage/keys.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <memory>
#include <utility>

namespace muster::actors {

namespace {

using rules::settings_path;
using rules::settings_value;
using storage::family;

std::size_t bytes_of(const own_documents& all) {
  std::size_t out = 0;
  for (const auto& document : all.all)
    out += rules::size_of(document.values).bytes;
  return out;
}

/// An empty map would be a value: with the last setting in it, it goes as well.
void unset(settings_value& document, const settings_path& path) {
  if (!rules::erase_at(document, path))
    return;
  auto steps = path.steps();
  for (steps.pop_back(); !steps.empty(); steps.pop_back()) {
    const settings_path above{steps};
    const auto* left = rules::value_at(document, above);
    if (left == nullptr || !left->is_map() || !left->as_map()->empty())
      return;
    static_cast<void>(rules::erase_at(document, above));
  }
}

std::string values_problem(std::string_view application, const settings_value& values) {
  if (auto problem = rules::problem_with(rules::document_of_own(values)); !problem.empty())
    return problem;
  std::vector<std::string> problems;
  if (application == rules::agent_application)
    static_cast<void>(rules::read_agent_policy(values, problems));
  return problems.empty() ? "" : problems.front();
}

/// The order's changes made to `values`. Empty, or why not.
std::string change_values(const own_settings_order& order, settings_value& values) {
  for (const auto& path : order.unset)
    unset(values, path);
  for (const auto& [path, value] : order.set) {
    std::string problem;
    if (path.empty())
      return "a setting is set by its name, not all of them at once";
    if (!rules::set_at(values, path, value, problem))
      return "'" + path.text() + "': " + problem;
  }
  return values_problem(order.application, values);
}

/// The device's documents with this one in its place; empty values: without it.
own_documents with(const own_documents& before, own_document fresh) {
  own_documents out;
  for (const auto& document : before.all)
    if (document.application != fresh.application)
      out.all.push_back(document);
  const auto at = std::find_if(out.all.begin(), out.all.end(), [&](const own_document& one) {
    return one.application > fresh.application;
  });
  if (!fresh.values.as_map()->empty())
    out.all.insert(at, std::move(fresh));
  return out;
}

std::string bounds_problem(const own_documents& all, std::size_t of_all_devices) {
  namespace limits = policy_book_limits;
  if (all.all.size() > limits::own_applications_max)
    return "a device has own settings of at most " + std::to_string(limits::own_applications_max) +
           " applications";
  if (bytes_of(all) > limits::own_bytes_max)
    return "a device's own settings have at most " + std::to_string(limits::own_bytes_max >> 10) +
           " KB together; what many devices share belongs into a policy";
  if (of_all_devices > limits::all_own_bytes_max)
    return "the own settings of all devices have at most " +
           std::to_string(limits::all_own_bytes_max >> 20) +
           " MB together; what many devices share belongs into a policy";
  return {};
}

const own_documents no_documents;

} // namespace

/// Only a device that is there can have any. When it is removed meanwhile, its `remove` is behind
/// us.
void policy_book_state::carry_out(const own_settings_order_ptr& order, answer_promise answer) {
  self_->request(directory_of(order->device), caf::infinite, atom::find_v, order->device)
    .then(
      [this, order, answer](const device_page_ptr& page) mutable {
        fleet_answer what;
        what.revision = fleet_->revision;
        if (!page->rows.empty()) {
          set_own(*order, std::move(answer));
        } else {
          what.plan.problems.push_back("there is no device " + order->device.text());
          answer_now(answer, std::move(what));
        }
        work_off();
      },
      refused(answer));
}

void policy_book_state::set_own(const own_settings_order& order, answer_promise answer) {
  fleet_answer what;
  what.revision = fleet_->revision;
  const auto refuse = [&](const std::string& why) {
    what.plan.problems.push_back("own settings of '" + order.application + "': " + why);
    answer_now(answer, std::move(what));
  };
  if (const auto problem = rules::application_name_problem(order.application); !problem.empty())
    return refuse("an application's name " + problem);
  const auto found = own_.find(order.device);
  const auto& before = found == own_.end() ? no_documents : *found->second;
  const auto standing =
    std::find_if(before.all.begin(), before.all.end(),
                 [&](const own_document& one) { return one.application == order.application; });
  const auto old = standing == before.all.end() ? settings_value::empty_map() : standing->values;
  auto values = old;
  if (const auto problem = change_values(order, values); !problem.empty())
    return refuse(problem);
  rules::fleet_step step;
  step.changes = rules::difference(old, values);
  if (step.changes.empty()) {
    what.plan.unchanged = 1;
    return answer_now(answer, std::move(what));
  }
  const bool erased = values.as_map()->empty();
  const own_document fresh{order.application, own_revision_ + 1, std::move(values)};
  auto all = std::make_shared<const own_documents>(with(before, fresh));
  if (const auto problem = bounds_problem(*all, own_bytes_ - bytes_of(before) + bytes_of(*all));
      !problem.empty() && !erased)
    return refuse(problem);
  const auto now_us = options_.now();
  storage::change_batch changes;
  changes.push_back(
    erased ? storage::erase(family::devices,
                            storage::keys::own_settings({order.device.bytes, order.application}))
           : put_own(order.device, fresh, {fresh.revision, now_us, order.who.actor}));
  changes.push_back(put_own_revision(fresh.revision));
  auto entry = order.who;
  entry.action = "settings.own";
  entry.subject = order.device.text();
  entry.detail = order.application + ": " + changed_paths(step.changes); // values may be secret
  changes.push_back(audit_change(entry, now_us));
  step.action = rules::fleet_action::change;
  step.object.name = order.application;
  step.object.spec = rules::policy{};
  what.plan.steps.push_back(std::move(step));
  write_own(order, std::move(all), std::move(changes), std::move(what), std::move(answer));
}

void policy_book_state::write_own(const own_settings_order& order, own_documents_ptr all,
                                  storage::change_batch changes, fleet_answer what,
                                  answer_promise answer) {
  auto batch = std::make_shared<const storage::change_batch>(std::move(changes));
  self_
    ->request(options_.writer, caf::infinite, atom::put_v, change_batch_ptr{std::move(batch)},
              durability::command)
    .then(
      [this, device = order.device, all = std::move(all), answer,
       what = std::move(what)](caf::ok_atom) mutable {
        ++own_revision_;
        keep_own(device, all);
        publish_own(device, all);
        answer_now(answer, std::move(what));
        work_off();
      },
      refused(answer));
}

void policy_book_state::keep_own(const device_id& device, own_documents_ptr all) {
  if (const auto before = own_.find(device); before != own_.end()) {
    own_bytes_ -= bytes_of(*before->second);
    own_.erase(before);
  }
  own_bytes_ += bytes_of(*all);
  if (!all->all.empty())
    own_.emplace(device, std::move(all));
}

void policy_book_state::publish_own(const device_id& device, const own_documents_ptr& all) {
  self_->send(directory_of(device), atom::publish_v, device, all);
}

/// In its turn: what was being set when the device was removed must not outlive it. If the store
/// refuses, the next start finds it to be a stray.
void policy_book_state::forget(const device_id& device, bool is_stray) {
  enqueue([this, device, is_stray] {
    if (!is_stray && !own_.contains(device))
      return over();
    auto range = storage::keys::own_settings_of(device.bytes);
    storage::change_batch changes{
      storage::erase_range(family::devices, std::move(range.lower), std::move(range.upper))};
    auto batch = std::make_shared<const storage::change_batch>(std::move(changes));
    keep_own(device, std::make_shared<const own_documents>());
    self_
      ->request(options_.writer, caf::infinite, atom::put_v, change_batch_ptr{std::move(batch)},
                durability::command)
      .then(
        [this](caf::ok_atom) {
          over();
          work_off();
        },
        [this, device](const caf::error& why) {
          spdlog::warn("own settings of the removed device {} are still in the store: {}",
                       device.text(), text_of(why));
          over();
          work_off();
        });
  });
}

} // namespace muster::actors
