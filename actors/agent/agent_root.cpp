#include "actors/agent/agent_root.hpp"

#include "actors/agent/connection_options.hpp"
#include "actors/agent/limits.hpp"
#include "actors/errc.hpp"

#include <caf/actor_cast.hpp>
#include <caf/exit_reason.hpp>
#include <caf/send.hpp>

#include <spdlog/fmt/fmt.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <chrono>
#include <string_view>
#include <utility>

namespace muster::actors {

namespace {

/// What the root knows of each child, in the order of start.
struct child_rule {
  std::string_view name;
  /// Exit ahead of what waits in the mailbox; otherwise behind it, so that accepted work is done.
  bool jumps_queue;
  std::chrono::milliseconds grace;
};

constexpr child_rule rules_of_children[] = {
  {"writer", false, std::chrono::seconds{30}}, // a slow disk gets its time
  {"reader", false, std::chrono::seconds{2}},
  {"spool", false, std::chrono::seconds{10}},
  {"collector", false, std::chrono::seconds{5}}, // may be in the middle of a look
  {"settings keeper", true, std::chrono::seconds{5}}, // kills what it waits for
  {"connection", true, hand_over_max + notice_max + std::chrono::seconds{1}}, // the last words
  {"local service", true, std::chrono::seconds{1}},
};

} // namespace

agent_root_actor::behavior_type agent_root_state::make_behavior(agent_root_options options) {
  options_ = std::move(options);
  self_->set_down_handler([this](const caf::down_msg& down) { on_down(down); });
  self_->set_exit_handler([this](const caf::exit_msg& stop) { begin_stop(stop.reason); });
  start_from(writer);
  return {
    [this](atom::respawn, std::uint32_t first) {
      // Another death since then, and another pause?
      if (!unwinding_ && first == start_at_)
        start_from(std::exchange(start_at_, places));
    },
    [this](atom::tick, std::uint32_t number) { on_grace_over(number); },
    [this](atom::status) { return status(); },
  };
}

// -- start ----------------------------------------------------------------------------------------

void agent_root_state::start_from(std::size_t first) {
  for (auto which = first; which < places; ++which) {
    handles_[which] = start(which);
    if (handles_[which])
      self_->monitor(handles_[which]);
  }
}

caf::actor agent_root_state::start(std::size_t which) {
  const auto begin = [&](auto& child, const auto& starter) {
    if (starter)
      child = starter(self_, children_);
    return caf::actor_cast<caf::actor>(child);
  };
  switch (static_cast<place>(which)) {
    case writer: return begin(children_.writer, options_.start_writer);
    case reader: return begin(children_.reader, options_.start_reader);
    case spool: return begin(children_.spool, options_.start_spool);
    case collector: return begin(children_.collector, options_.start_collector);
    case keeper: return begin(children_.keeper, options_.start_keeper);
    case connection: return begin(children_.connection, options_.start_connection);
    case local: return begin(children_.local, options_.start_local);
    case places: break;
  }
  return {};
}

void agent_root_state::forget(std::size_t which) {
  handles_[which] = nullptr;
  switch (static_cast<place>(which)) {
    case writer: children_.writer = nullptr; return;
    case reader: children_.reader = nullptr; return;
    case spool: children_.spool = nullptr; return;
    case collector: children_.collector = nullptr; return;
    case keeper: children_.keeper = nullptr; return;
    case connection: children_.connection = nullptr; return;
    case local: children_.local = nullptr; return;
    case places: return;
  }
}

// -- death ----------------------------------------------------------------------------------------

void agent_root_state::on_down(const caf::down_msg& down) {
  for (std::size_t which = 0; which < places; ++which) {
    if (!handles_[which] || handles_[which].address() != down.source)
      continue;
    forget(which);
    if (ending_ && is(down.reason, storage::errc::sync_failed))
      reason_ = down.reason;
    if (unwinding_ && which == stopping_) // we asked for it
      return stop_next();
    return on_death(which, down.reason);
  }
}

void agent_root_state::on_death(std::size_t which, const caf::error& why) {
  const auto label = rules_of_children[which].name;
  const auto reason =
    why ? why : make_error(errc::internal, std::string{label} + " ended by itself");
  if (ending_)
    return; // one less to stop
  if (is(reason, storage::errc::sync_failed)) {
    spdlog::critical("the disk cannot be trusted any more ({}); the agent stops", text_of(reason));
    return begin_stop(reason);
  }
  const auto now = self_->clock().now();
  deaths_.push_back(now);
  while (now - deaths_.front() > limits::agent_restart_window)
    deaths_.pop_front();
  if (deaths_.size() > limits::agent_restarts_max) {
    spdlog::critical("{} died, the {}th death within {} s: {}; the agent stops", label,
                     deaths_.size(), limits::agent_restart_window.count(), text_of(reason));
    return begin_stop(reason);
  }
  spdlog::error("{} died: {}; starting it again", label, text_of(reason));
  ++restarts_[which];
  unwind(which);
}

// -- stop -----------------------------------------------------------------------------------------

void agent_root_state::begin_stop(caf::error why) {
  if (std::exchange(ending_, true))
    return;
  reason_ = std::move(why);
  spdlog::info("stopping");
  unwind(writer);
}

/// Stops what was started at or behind `first`; goes on with what is being stopped.
void agent_root_state::unwind(std::size_t first) {
  stop_down_to_ = unwinding_ ? std::min(stop_down_to_, first) : first;
  if (!std::exchange(unwinding_, true))
    stop_next();
}

void agent_root_state::stop_next() {
  ++grace_number_;
  for (const auto which : order_of_stop) {
    if (which < stop_down_to_ || !handles_[which])
      continue;
    stopping_ = which;
    ask_to_stop(false);
    self_->delayed_send(self_, rules_of_children[stopping_].grace, atom::tick_v, grace_number_);
    return;
  }
  stopping_ = places;
  unwinding_ = false;
  if (ending_)
    return self_->quit(reason_);
  start_at_ = std::min(start_at_, stop_down_to_);
  self_->delayed_send(self_, limits::agent_restart_pause, atom::respawn_v,
                      static_cast<std::uint32_t>(start_at_));
}

void agent_root_state::ask_to_stop(bool kill) {
  // Whoever only makes place for its successor need not take leave of anybody.
  const auto polite = ending_ ? caf::error{caf::exit_reason::user_shutdown}
                              : make_error(errc::stopping, "to be started again");
  const caf::exit_msg stop{self_->address(), kill ? caf::error{caf::exit_reason::kill} : polite};
  if (kill || rules_of_children[stopping_].jumps_queue)
    caf::anon_send<caf::message_priority::high>(handles_[stopping_], stop);
  else
    caf::anon_send(handles_[stopping_], stop);
}

void agent_root_state::on_grace_over(std::uint32_t number) {
  if (!unwinding_ || number != grace_number_)
    return;
  spdlog::warn("{} did not stop in time and is killed", rules_of_children[stopping_].name);
  ask_to_stop(true);
}

std::string agent_root_state::status() const {
  std::string out;
  for (std::size_t which = 0; which < places; ++which) {
    if (!handles_[which])
      continue;
    out += fmt::format("{}{}", out.empty() ? "" : ", ", rules_of_children[which].name);
    if (restarts_[which] > 0)
      out += fmt::format(" (started again {} times)", restarts_[which]);
  }
  return out;
}

agent_root_actor::behavior_type
agent_root(agent_root_actor::stateful_pointer<agent_root_state> self, agent_root_options options) {
  return self->state.make_behavior(std::move(options));
}

} // namespace muster::actors
