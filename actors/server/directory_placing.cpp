// The rules that move devices: when they are new, when something about them has changed, when an
// administrator asks.
#include "actors/server/directory.hpp"

#include <algorithm>
#include <memory>
#include <utility>

namespace muster::actors {

using rules::moving_occasion;

namespace {

constexpr std::size_t facts_section = 0; ///< its place among the digests

std::string shown(const std::string& path) {
  return "/" + path;
}

bool any_permanent(const std::vector<rules::moving_rule>& rules) {
  return std::any_of(rules.begin(), rules.end(), [](const auto& rule) { return rule.permanent; });
}

} // namespace

// -- one device -----------------------------------------------------------------------------------

/// Its first facts end a device's being new. They may have come when there were no rules yet, or the
/// server may have ended before it was moved: so not only this sync's facts count.
void directory_state::consider_facts(const device_entry& entry, const sync_outcome& outcome) {
  if (!fleet_ || (entry.settled && !outcome.host_name && !outcome.applications))
    return;
  if (entry.digests[facts_section] == section_digest{})
    return;
  const auto why = entry.settled ? moving_occasion::changed : moving_occasion::enrolled;
  const auto needs = needs_of(fleet_->moving, why);
  std::optional<claimed_facts> said;
  if ((!needs.applications || outcome.applications) && (!needs.addresses || outcome.host_name))
    said = {outcome.applications.value_or(std::vector<std::string>{}), outcome.addresses};
  consider(entry, why, std::move(said));
}

void directory_state::consider(const device_entry& entry, moving_occasion why,
                               std::optional<claimed_facts> said, std::function<void()> then) {
  if (!then)
    then = [] {};
  const auto device = entry.device;
  if (!fleet_ || entry.revoked || changing_.contains(device) ||
      (why == moving_occasion::changed && !any_permanent(fleet_->moving)))
    return then();
  if (const auto [at, fresh] = moving_.try_emplace(device, false); !fresh) {
    at->second = true;
    return then();
  }
  const auto needs = needs_of(fleet_->moving, why);
  if (said || !needs.any())
    return decide_placing(device, why, said.value_or(claimed_facts{}), then);
  const auto claims = std::make_shared<claimed_facts>();
  const auto look = [device, needs, claims](const storage::store& from) {
    return read_claims(from, device, needs, *claims);
  };
  self_
    ->request(reader_for(device), caf::infinite, atom::read_v,
              std::make_shared<const std::function<std::error_code(const storage::store&)>>(look))
    .then([this, device, why, claims,
           then](caf::ok_atom) { decide_placing(device, why, *claims, then); },
          [this, device, then](const caf::error&) { // the reader has said it; the next sync tries again
            then();
            end_moving(device);
          });
}

void directory_state::decide_placing(const device_id& device, moving_occasion why,
                                     const claimed_facts& claims,
                                     const std::function<void()>& then) {
  const auto* const entry = devices_->find(device);
  const auto found = entry && fleet_ ? placing_of(*entry, claims, why) : std::nullopt;
  const bool settles =
    entry && !entry->settled && entry->digests[facts_section] != section_digest{};
  if (entry == nullptr || entry->revoked || (!found && !settles)) {
    then();
    return end_moving(device);
  }
  moving one;
  one.device = device;
  one.to = {found ? found->target.number : entry->group, std::string{devices_->text(entry->tags)},
            entry->settled || settles};
  one.quiet = !found;
  if (found) {
    one.rule = found->rule;
    one.who = {"rule " + found->rule, {}, "device.move", device.text(),
               "from " + shown(path_of(group_of(*entry))) + " to " + shown(path_of(found->target))};
  }
  write_moves({std::move(one)}, found ? durability::command : durability::fact,
              [then](const caf::error&) { then(); });
}

/// Empty, too, when it is there already.
std::optional<placing> directory_state::placing_of(const device_entry& entry,
                                                   const claimed_facts& claims,
                                                   moving_occasion why) const {
  const known_traits known{entry.name,
                           devices_->text(entry.os_id),
                           devices_->text(entry.os_name),
                           entry.address,
                           devices_->text(entry.token),
                           devices_->text(entry.tags)};
  auto out = place_device(*fleet_, known, claims, why);
  if (out && out->target == group_of(entry))
    return std::nullopt;
  return out;
}

// -- all that an administrator means
// ----------------------------------------------------------------

caf::result<placement_report_ptr> directory_state::place(const placement_order_ptr& order) {
  std::string problem;
  auto filter = rules::device_filter::parse(order->target, problem);
  if (!filter)
    return make_error(errc::invalid, problem);
  if (!fleet_)
    return make_error(errc::overloaded, "the groups are not loaded yet");
  if (std::exchange(placing_, true))
    return make_error(errc::overloaded, "the moving rules are being run already");
  auto one = std::make_shared<looking>();
  one->what = look_for::who_moves;
  one->filter = std::move(*filter);
  one->order = order;
  one->placement = std::make_shared<placement_report>();
  one->placement_answer = self_->make_response_promise<placement_report_ptr>();
  auto answer = one->placement_answer;
  begin_looking(std::move(one));
  return answer;
}

/// The devices of one turn: few when they have to be read, and never more than one commit moves.
void directory_state::place_slice(const looking_ptr& what) {
  const auto needs = needs_of(fleet_->moving, moving_occasion::asked);
  const auto devices_max = needs.any() ? fleet_limits::placing_reads : fleet_limits::placing_moves;
  auto rank = rank_behind(*what);
  const auto end = std::min(rank + fleet_limits::list_slice, devices_->size());
  const auto found = std::make_shared<claims_by_device>();
  for (; rank < end && found->size() < devices_max; ++rank) {
    const auto& entry = devices_->at_rank(rank);
    if (!entry.revoked && matches(what->filter, entry))
      found->emplace_back(entry.device, claimed_facts{});
  }
  note_place(*what, rank);
  what->placement->looked_at += found->size();
  if (found->empty() || !needs.any())
    return place_these(what, *found);
  const auto look = [needs, found](const storage::store& from) {
    for (auto& [device, claims] : *found)
      if (const auto ec = read_claims(from, device, needs, claims))
        return ec;
    return std::error_code{};
  };
  self_
    ->request(reader_for(found->front().first), caf::infinite, atom::read_v,
              std::make_shared<const std::function<std::error_code(const storage::store&)>>(look))
    .then([this, what, found](caf::ok_atom) { place_these(what, *found); },
          [this, what](const caf::error& why) { end_placing(what, why); });
}

void directory_state::place_these(const looking_ptr& what, const claims_by_device& devices) {
  const auto& order = *what->order;
  std::vector<moving> moves;
  for (const auto& [device, claims] : devices) {
    const auto* const entry = devices_->find(device);
    if (entry == nullptr || changing_.contains(device) || moving_.contains(device))
      continue;
    const auto found = placing_of(*entry, claims, moving_occasion::asked);
    if (!found)
      continue;
    auto& report = *what->placement;
    const placement_report::move told{device, entry->name, path_of(group_of(*entry)),
                                      path_of(found->target), found->rule};
    ++report.moved;
    if (report.moves.size() < fleet_limits::placing_told)
      report.moves.push_back(told);
    if (order.dry_run)
      continue;
    moving one;
    one.device = device;
    one.to = {found->target.number, std::string{devices_->text(entry->tags)}, true};
    one.rule = found->rule;
    one.who = {order.who.actor, order.who.source, "device.move", device.text(),
               "from " + shown(told.from) + " to " + shown(told.to) + " by the rule " + told.rule};
    moving_.emplace(device, false);
    moves.push_back(std::move(one));
  }
  if (moves.empty())
    return place_on(what);
  write_moves(std::move(moves), durability::command, [this, what](const caf::error& why) {
    if (why)
      end_placing(what, why);
    else
      place_on(what);
  });
}

void directory_state::place_on(const looking_ptr& what) {
  if (what->over)
    end_placing(what, {});
  else
    begin_looking(what);
}

void directory_state::end_placing(const looking_ptr& what, const caf::error& why) {
  placing_ = false;
  if (why)
    what->placement_answer.deliver(why);
  else
    what->placement_answer.deliver(placement_report_ptr{std::move(what->placement)});
}

} // namespace muster::actors
