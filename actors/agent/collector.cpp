#include "actors/agent/collector.hpp"

#include "actors/agent/collector_events.hpp"
#include "actors/agent/convert.hpp"
#include "storage/keys.hpp"
#include "storage/records.hpp"

#include <spdlog/spdlog.h>

#include <memory>
#include <utility>

namespace muster::actors {

collector_actor::behavior_type collector_state::make_behavior(collector_options options) {
  options_ = std::move(options);
  self_->set_exit_handler([this](caf::exit_msg& why) { on_exit(why); });
  const auto uptime_s = options_.view.boot_time_us() / 1'000'000;
  tell({make_event(severity::info, event_types::agent_started,
                   "the agent " + options_.agent_version + " has started",
                   {{"version", options_.agent_version}, {"uptime_s", std::to_string(uptime_s)}})},
       [] {});
  load();
  look_at_clock();
  arm_tick(options_.period);
  return {
    [this](atom::collect) { return look(); },
    [this](atom::watch) { on_watch(); },
    [this](atom::tick) { on_tick(); },
    [this](atom::status) { return status(); },
  };
}

void collector_state::load() {
  if (std::exchange(loading_, true))
    return;
  const auto failed = [this](const caf::error& why) {
    loading_ = false; // the next tick tries again
    spdlog::warn("collector: cannot read what was remembered: {}", text_of(why));
  };
  const auto key = [](const char* what) { return storage::keys::setting(what); };
  self_
    ->request(options_.reader, caf::infinite, atom::get_v, storage::family::meta,
              key(announced_settings::applications))
    .then(
      [this, failed, key](const read_result& applications) {
        self_
          ->request(options_.reader, caf::infinite, atom::get_v, storage::family::meta,
                    key(announced_settings::alarms))
          .then([this, applications](
                  const read_result& alarm_list) { on_loaded(applications, alarm_list); },
                failed);
      },
      failed);
}

void collector_state::on_loaded(const read_result& applications, const read_result& alarm_list) {
  loading_ = false;
  loaded_ = true;
  // What cannot be read any more is as good as unknown: begin anew, as on the first day.
  storage::record::announced_applications list;
  if (applications.value && !storage::records::decode(*applications.value, list))
    announced_ = list.SerializeAsString();
  storage::record::announced_alarms on;
  if (alarm_list.value && !storage::records::decode(*alarm_list.value, on))
    alarms_ = {on.items().begin(), on.items().end()};
  look_at_applications();
  look_at_alarms();
}

void collector_state::on_watch() {
  look_at_applications();
}

void collector_state::on_tick() {
  if (stopping_) {
    if (self_->clock().now() >= stop_by_) {
      spdlog::warn("collector: agent.stopped is not on the disk after {} ms; going all the same",
                   options_.stop_max.count());
      self_->quit(stop_reason_);
    }
    return;
  }
  arm_tick(options_.period);
  for (const auto& again : std::exchange(refused_, {}))
    send(again);
  look_at_clock();
  if (!loaded_) {
    load();
    return;
  }
  look_at_alarms();
  if (compare_again_)
    look_at_applications();
}

void collector_state::arm_tick(std::chrono::milliseconds wait) {
  self_->delayed_send(self_, wait, atom::tick_v);
}

void collector_state::on_exit(const caf::exit_msg& why) {
  if (std::exchange(stopping_, true))
    return;
  stop_reason_ = why.reason;
  stop_by_ = self_->clock().now() + options_.stop_max;
  tell(
    {make_event(severity::info, event_types::agent_stopped, "the agent is stopping",
                {{"version", options_.agent_version}})},
    [this] { self_->quit(stop_reason_); }, false);
  arm_tick(options_.stop_max); // the tick that is in flight finds that it is not yet time
}

machine_snapshot_ptr collector_state::look() {
  ++looks_;
  auto out = std::make_shared<machine_snapshot>();
  const auto standing = [this](wire::section which) {
    return last_ ? last_->content[index_of(which)] : std::string{};
  };
  set_content(*out, wire::section_facts, canonical_form(options_.view.facts()));

  wire::applications applications;
  const bool listed = options_.view.applications(applications);
  auto list = listed ? canonical_form(applications) : standing(wire::section_applications);
  // Better what was announced before the start, without its details, than that all is gone.
  if (!listed && list.empty())
    list = announced_list();
  set_content(*out, wire::section_applications, std::move(list));

  wire::run_states run_states;
  set_content(*out, wire::section_run_states,
              options_.view.run_states(run_states) ? canonical_form(run_states)
                                                   : standing(wire::section_run_states));
  out->statistics = options_.view.statistics();
  last_ = out;
  if (listed)
    compare(applications);
  return out;
}

std::string collector_state::announced_list() const {
  storage::record::announced_applications known;
  wire::applications out;
  if (announced_ && known.ParseFromString(*announced_))
    for (auto& from : *known.mutable_items()) {
      auto& item = *out.add_items();
      item.set_allocated_name(from.release_name());
      item.set_allocated_version(from.release_version());
      item.set_allocated_architecture(from.release_architecture());
      item.set_allocated_manager(from.release_manager());
    }
  return canonical_form(out);
}

void collector_state::tell(events what, std::function<void()> then, bool insist) {
  if (what.empty())
    return then();
  auto out = std::make_shared<announcement>();
  const auto now_ms = options_.view.now_us() / 1000; // it may be long until the spool takes it
  for (auto& one : what) {
    one->time_ms = now_ms;
    out->to_send.push_back(std::move(one));
  }
  out->insist = insist;
  out->then = std::move(then);
  send(out);
}

void collector_state::send(const announcement_ptr& what) {
  const auto events_to_send = std::exchange(what->to_send, {});
  what->unanswered = events_to_send.size();
  // All at once: the spool's writer makes one commit of them.
  for (const auto& one : events_to_send)
    self_->request(options_.spool, caf::infinite, atom::raise_v, one)
      .then(
        [this, what](caf::ok_atom) {
          ++told_;
          on_answered(what);
        },
        [this, what, one](const caf::error& why) {
          spdlog::warn("collector: {} could not be written: {}", one->type, text_of(why));
          what->refused.push_back(one);
          on_answered(what);
        });
}

void collector_state::on_answered(const announcement_ptr& what) {
  if (--what->unanswered > 0)
    return;
  if (what->refused.empty() || !what->insist)
    return what->then();
  what->to_send = std::exchange(what->refused, {});
  refused_.push_back(what);
}

void collector_state::remember(const char* what, std::string record) {
  auto batch = std::make_shared<const storage::change_batch>(storage::change_batch{
    storage::put(storage::family::meta, storage::keys::setting(what), std::move(record))});
  self_->request(options_.writer, caf::infinite, atom::put_v, std::move(batch), durability::fact)
    .then([](caf::ok_atom) {},
          [](const caf::error& why) {
            spdlog::warn("collector: cannot remember what was announced: {}", text_of(why));
          });
}

std::string collector_state::status() const {
  auto out = std::to_string(looks_) + " looks, " + std::to_string(told_) + " events, " +
             std::to_string(alarms_.size()) + " alarms";
  if (!loaded_)
    out += ", memory not read";
  return out;
}

collector_actor::behavior_type collector(collector_actor::stateful_pointer<collector_state> self,
                                         collector_options options) {
  return self->state.make_behavior(std::move(options));
}

} // namespace muster::actors
