// The spool's way in: events that were raised, together in one commit.
#include "actors/agent/event_spool.hpp"
#include "actors/agent/limits.hpp"

#include <spdlog/spdlog.h>

#include <utility>

namespace muster::actors {

caf::result<caf::ok_atom> event_spool_state::on_raise(const raised_event_ptr& event) {
  if (stopping_)
    return make_error(errc::stopping, "the agent is stopping");
  if (raises_.size() >= limits::raises_waiting_max)
    return make_error(errc::overloaded, "too many events wait for the disk");
  auto promise = self_->make_response_promise<caf::ok_atom>();
  raises_.push_back({event, promise});
  // Whatever else is raised until its turn comes joins the commit.
  if (!std::exchange(commit_waits_, true))
    queue({[this] { commit(); }, {}});
  return promise;
}

void event_spool_state::commit() {
  commit_waits_ = false;
  storage::change_batch changes;
  std::vector<spool_entry> newcomers;
  const auto now_ms = options_.now_us() / 1000;
  std::size_t bytes = 0;
  for (auto number = index_.next_number(); !raises_.empty(); ++number) {
    auto event = tidied(*raises_.front().event);
    if (event.time_ms == 0)
      event.time_ms = now_ms;
    auto change = put_event(number, index_.position_of(number), event);
    if (bytes > 0 && bytes + change.value.size() > limits::spool_commit_bytes_max)
      break;
    bytes += change.value.size();
    newcomers.push_back({number, static_cast<std::uint32_t>(change.value.size()), event.severity,
                         false});
    changes.push_back(std::move(change));
    committing_.push_back(std::move(raises_.front()));
    raises_.pop_front();
  }
  if (!raises_.empty() && !std::exchange(commit_waits_, true))
    waiting_.push_front({[this] { commit(); }, {}});
  const auto plan = index_.plan(std::move(newcomers));
  add_gaps(plan, changes);
  write(
    std::move(changes), durability::command, [this, plan] { on_committed(plan); },
    [this](const caf::error& why) {
      for (auto& raise : std::exchange(committing_, {}))
        raise.promise.deliver(why);
      done();
    });
}

/// In the same batch as the events that need their room. Behind the events: a newcomer may be
/// dropped at once.
void event_spool_state::add_gaps(const spool_plan& plan, storage::change_batch& changes) const {
  for (const auto number : plan.erased)
    changes.push_back(erase_event(number));
  for (const auto& gap : plan.gaps)
    changes.push_back(put_gap(gap, index_.position_of(gap.last), options_.now_us() / 1000));
}

void event_spool_state::on_committed(const spool_plan& plan) {
  index_.apply(plan);
  if (plan.dropped > 0 && dropped_ == 0)
    spdlog::warn("spool: full; the oldest events of the lowest severity are dropped");
  dropped_ += plan.dropped;
  auto raised = std::exchange(committing_, {});
  for (std::size_t i = 0; i < raised.size(); ++i) {
    if (plan.stays[i])
      raised[i].promise.deliver(caf::ok_atom_v);
    else
      raised[i].promise.deliver(make_error(errc::overloaded, "the spool is full"));
  }
  tell_ready();
  done();
}

} // namespace muster::actors
