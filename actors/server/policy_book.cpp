#include "actors/server/policy_book.hpp"

#include "actors/errc.hpp"
#include "actors/rules/fleet_spec.hpp"
#include "actors/rules/shard.hpp"
#include "actors/server/policy_book_limits.hpp"
#include "storage/keys.hpp"

#include <muster/assert.hpp>

#include <algorithm>
#include <iterator>
#include <memory>
#include <set>
#include <utility>

namespace muster::actors {

namespace {

using rules::fleet_kind;
using objects = std::vector<rules::fleet_object>;

rules::fleet_key plain(const rules::fleet_key& key) {
  const bool is_group = key.kind == fleet_kind::group;
  const auto path = [](std::string_view text) { return rules::lower_case(rules::bare_path(text)); };
  return {key.kind, key.kind == fleet_kind::policy ? path(key.group) : "",
          is_group ? path(key.name) : key.name};
}

std::string title_of(const rules::fleet_key& key) {
  auto out = rules::lower_case(rules::name_of(key.kind)) + " '" + key.name + "'";
  if (key.kind == fleet_kind::policy)
    out += " of group '" + (key.group.empty() ? "/" : key.group) + "'";
  return out;
}

/// A plan of what is wanted and of what shall go; all else stays.
rules::fleet_plan plan_changes(objects wanted, objects present, const fleet_order& order) {
  std::set<rules::fleet_key> named;
  std::set<rules::fleet_key> there;
  std::set<rules::fleet_key> going;
  for (const auto& object : wanted)
    named.insert(object.key());
  for (const auto& object : present)
    there.insert(object.key());
  rules::fleet_plan out;
  bool groups_go = order.prune;
  for (const auto& one : order.removed) {
    const auto key = plain(one);
    if (!there.contains(key))
      out.problems.push_back("there is no " + title_of(key) + " that could be removed");
    else if (named.contains(key))
      out.problems.push_back(title_of(key) + " cannot both be there and be removed");
    groups_go = groups_go || key.kind == fleet_kind::group;
    going.insert(key);
  }
  if (!out.problems.empty())
    return out;
  if (!groups_go) // then what nobody names need not be looked at; groups are what others stand in
    std::erase_if(present, [&](const auto& object) {
      const auto key = object.key();
      return key.kind != fleet_kind::group && !named.contains(key) && !going.contains(key);
    });
  if (order.prune || going.empty())
    return rules::plan_fleet(wanted, present, order.prune);
  const auto asked_for = wanted.size();
  std::copy_if(present.begin(), present.end(), std::back_inserter(wanted), [&](const auto& object) {
    const auto key = object.key();
    return !named.contains(key) && !going.contains(key);
  });
  out = rules::plan_fleet(wanted, present, true);
  out.unchanged -= std::min(out.unchanged, wanted.size() - asked_for);
  return out;
}

} // namespace

policy_book_actor::behavior_type policy_book_state::make_behavior(policy_book_options options) {
  options_ = std::move(options);
  MUSTER_ASSERT(options_.writer && options_.now && !options_.directories.empty() &&
                  options_.loaded.snapshot,
                "a policy book needs a writer, a clock, directories and what the store has");
  auto loaded = std::exchange(options_.loaded, {});
  spec_bytes_ = loaded.spec_bytes;
  own_revision_ = loaded.own_revision;
  for (auto& [device, all] : loaded.own) {
    keep_own(device, all);
    publish_own(device, all);
  }
  publish(std::move(loaded.snapshot));
  for (const auto& device : loaded.strays)
    forget(device, true);
  return {
    [this](atom::apply, const fleet_order_ptr& order) {
      return take([this, order](answer_promise answer) { carry_out(*order, std::move(answer)); });
    },
    [this](atom::apply, const group_order_ptr& order) {
      return take([this, order](answer_promise answer) { carry_out(*order, std::move(answer)); });
    },
    [this](atom::apply, const own_settings_order_ptr& order) {
      return take([this, order](answer_promise answer) { carry_out(order, std::move(answer)); });
    },
    [this](atom::get) { return fleet_; },
    [this](atom::remove, const device_id& device) { forget(device, false); },
    [this](atom::metrics) { return metrics(); },
    [this](atom::status) { return status(); },
  };
}

// -- one at a time
// ----------------------------------------------------------------------------------

caf::result<fleet_answer_ptr> policy_book_state::take(std::function<void(answer_promise)> work) {
  if (waiting_.size() >= policy_book_limits::orders_waiting_max)
    return make_error(errc::overloaded, "too many changes of the fleet are waiting; try again");
  ++orders_;
  auto answer = self_->make_response_promise<fleet_answer_ptr>();
  enqueue([work = std::move(work), answer] { work(answer); });
  return answer;
}

void policy_book_state::enqueue(std::function<void()> work) {
  waiting_.push_back(std::move(work));
  work_off();
}

std::function<void(const caf::error&)> policy_book_state::refused(answer_promise answer) {
  return [this, answer = std::move(answer)](const caf::error& why) mutable {
    ++orders_refused_;
    answer.deliver(why);
    over();
    work_off();
  };
}

/// Work that is over at once comes back here by over(): not deeper and deeper.
void policy_book_state::work_off() {
  while (!working_ && !waiting_.empty()) {
    const auto next = std::move(waiting_.front());
    waiting_.pop_front();
    working_ = true;
    next();
  }
}

void policy_book_state::over() {
  working_ = false;
}

void policy_book_state::answer_now(answer_promise& answer, fleet_answer what) {
  auto& problems = what.plan.problems;
  if (what.conflict || !problems.empty())
    ++orders_refused_;
  if (const auto most = rules::fleet_problems_max; problems.size() > most) {
    const auto more = problems.size() - most;
    problems.resize(most);
    problems.push_back("and " + std::to_string(more) + " more");
  }
  answer.deliver(std::make_shared<const fleet_answer>(std::move(what)));
  over();
}

// -- the fleet's order
// ------------------------------------------------------------------------------

rules::fleet_plan policy_book_state::plan(const fleet_order& order) const {
  namespace limits = policy_book_limits;
  rules::fleet_plan out;
  std::size_t bytes = 0;
  for (const auto& file : order.files)
    bytes += file.text.size();
  if (order.files.size() > limits::files_max || bytes > limits::text_bytes_max) {
    out.problems.push_back("an order has at most " + std::to_string(limits::files_max) +
                           " files and " + std::to_string(limits::text_bytes_max >> 20) +
                           " MB together: give it in parts");
    return out;
  }
  std::vector<rules::fleet_object> wanted;
  for (const auto& file : order.files) {
    auto read = rules::read_fleet(file.text, file.name);
    std::move(read.objects.begin(), read.objects.end(), std::back_inserter(wanted));
    std::move(read.problems.begin(), read.problems.end(), std::back_inserter(out.problems));
  }
  if (!out.problems.empty())
    return out;
  return plan_changes(std::move(wanted), objects_of(*fleet_), order);
}

void policy_book_state::carry_out(const fleet_order& order, answer_promise answer) {
  fleet_answer what;
  what.revision = fleet_->revision;
  if (order.expected && *order.expected != fleet_->revision) {
    what.conflict = true;
    return answer_now(answer, std::move(what));
  }
  what.plan = plan(order);
  if (!what.plan.problems.empty() || what.plan.steps.empty())
    return answer_now(answer, std::move(what));
  fleet_edit edit{*fleet_, spec_bytes_, order.who, options_.now()};
  edit.carry_out(what.plan.steps);
  settle(edit, std::move(what), order.dry_run, std::move(answer));
}

void policy_book_state::carry_out(const group_order& order, answer_promise answer) {
  fleet_answer what;
  what.revision = fleet_->revision;
  fleet_edit edit{*fleet_, spec_bytes_, order.who, options_.now()};
  edit.move_group(order.path, order.new_path);
  what.plan.steps = edit.steps();
  if (what.plan.steps.empty() && edit.problems().empty()) {
    what.plan.unchanged = 1;
    return answer_now(answer, std::move(what));
  }
  settle(edit, std::move(what), order.dry_run, std::move(answer));
}

void policy_book_state::settle(fleet_edit& edit, fleet_answer what, bool dry_run,
                               answer_promise answer) {
  auto finished = edit.finish();
  what.plan.problems = edit.problems();
  if (dry_run || !what.plan.problems.empty())
    return answer_now(answer, std::move(what));
  auto batch = std::make_shared<const storage::change_batch>(std::move(finished.changes));
  self_
    ->request(options_.writer, caf::infinite, atom::put_v, change_batch_ptr{std::move(batch)},
              durability::command)
    .then(
      [this, answer, what = std::move(what), fleet = std::move(finished.fleet),
       bytes = finished.spec_bytes](caf::ok_atom) mutable {
        spec_bytes_ = bytes;
        publish(std::move(fleet));
        what.revision = fleet_->revision;
        answer_now(answer, std::move(what));
        work_off();
      },
      refused(answer));
}

void policy_book_state::publish(fleet_snapshot_ptr fleet) {
  fleet_ = std::move(fleet);
  for (const auto& shard : options_.directories)
    self_->send(shard, atom::publish_v, fleet_);
}

// -- questions
// --------------------------------------------------------------------------------------

const directory_actor& policy_book_state::directory_of(const device_id& device) const {
  return options_.directories[rules::shard_of(device, options_.directories.size())];
}

metrics_text policy_book_state::metrics() const {
  std::size_t policies = 0;
  for (const auto& [group, here] : fleet_->policies)
    policies += here.size();
  std::string out;
  const auto add = [&](std::string_view figure, std::string_view type, std::uint64_t value) {
    const auto full = "muster_fleet_" + std::string{figure};
    out += "# TYPE " + full + " " + std::string{type} + "\n";
    out += full + " " + std::to_string(value) + "\n";
  };
  add("revision", "gauge", fleet_->revision);
  add("groups", "gauge", fleet_->groups.size());
  add("policies", "gauge", policies);
  add("rules", "gauge", fleet_->rules.size());
  add("tasks", "gauge", fleet_->tasks.size());
  add("spec_bytes", "gauge", spec_bytes_);
  add("own_devices", "gauge", own_.size());
  add("own_bytes", "gauge", own_bytes_);
  add("orders_total", "counter", orders_);
  add("orders_refused_total", "counter", orders_refused_);
  add("orders_waiting", "gauge", waiting_.size());
  return std::make_shared<const std::string>(std::move(out));
}

std::string policy_book_state::status() const {
  return "policy_book: revision " + std::to_string(fleet_->revision) + ", " +
         std::to_string(fleet_->groups.size()) + " groups, " +
         std::to_string(waiting_.size() + (working_ ? 1 : 0)) + " orders in work";
}

policy_book_actor::behavior_type
policy_book(policy_book_actor::stateful_pointer<policy_book_state> self,
            policy_book_options options) {
  return self->state.make_behavior(std::move(options));
}

} // namespace muster::actors
