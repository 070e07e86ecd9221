#include "actors/server/server_root.hpp"

#include "actors/errc.hpp"

#include <caf/actor_cast.hpp>
#include <caf/actor_registry.hpp>
#include <caf/actor_system.hpp>
#include <caf/exit_reason.hpp>
#include <caf/send.hpp>
#include <caf/typed_response_promise.hpp>

#include <spdlog/spdlog.h>

namespace muster::actors {

server_root_actor::behavior_type server_root_state::make_behavior(server_root_options options) {
  options_ = std::move(options);
  self_->set_down_handler([this](const caf::down_msg& down) { on_down(down); });
  self_->set_exit_handler([this](const caf::exit_msg& stop) {
    // Repeats are ignored: the first reason counts. (`kill` never gets here.)
    begin_stop(stop.reason);
  });
  for (const auto& [at, handle] : std::exchange(options_.residents, {}))
    adopt(at, handle);
  ports_.resize(options_.ports.size());
  for (std::size_t i = 0; i < ports_.size(); ++i)
    start_port(i);
  return {
    [this](atom::opened, door through, const net::accepted_ptr& connection) {
      open(through, connection);
    },
    [this](atom::adopt, stage at, const caf::actor& handle) { adopt(at, handle); },
    [this](atom::bound, door which) { return bound(which); },
    [this](atom::census) { return count(); },
    [this](atom::metrics) { return metrics(); },
    [this](atom::respawn, std::uint32_t index) {
      if (!stopping_)
        restart_port(index);
    },
    [this](atom::tick, std::uint32_t stage_index) { on_grace_over(stage_index); },
    [this](atom::status) { return status(); },
  };
}

// -- children -------------------------------------------------------------------------------------

void server_root_state::adopt(stage at, const caf::actor& handle) {
  if (!handle)
    return;
  const auto [place, is_new] = children_.try_emplace(handle.address(), child{handle, at});
  if (!is_new)
    return;
  ++living_[static_cast<std::size_t>(at)];
  self_->monitor(handle);
  // Spawned while the stop began. Where nobody waits for its stage any more, nobody waits for it.
  if (stopping_)
    ask_to_stop(place->second, static_cast<std::size_t>(at) < stopping_stage_);
}

void server_root_state::open(door through, const net::accepted_ptr& connection) {
  if (stopping_) {
    connection->connection->close();
    return;
  }
  switch (through) {
  case door::agents_tls:
  case door::agents_plain:
    return adopt(stage::sessions, options_.open_session(self_, connection));
  case door::admin:
    return adopt(stage::consoles, options_.open_console(self_, connection));
  case door::notices:
  case door::wakes: // of datagrams: nothing is accepted there
    connection->connection->close();
  }
}

void server_root_state::start_port(std::size_t index) {
  auto& place = ports_[index];
  place.handle = options_.ports[index].start(self_);
  place.address = place.handle.address();
  adopt(stage::ports, caf::actor_cast<caf::actor>(place.handle));
}

void server_root_state::restart_port(std::size_t index) {
  start_port(index);
  if (!options_.raise)
    return;
  const auto& label = options_.ports[index].name;
  const auto& place = ports_[index];
  raised_event event;
  event.severity = severity::warning;
  event.type = "server.port_restarted";
  event.text = "the port '" + label + "' had died and was started again: " + place.last_words;
  event.attributes = {{"port", label}, {"restarts", std::to_string(place.restarts)}};
  options_.raise(std::move(event));
}

void server_root_state::on_down(const caf::down_msg& down) {
  const auto found = children_.find(down.source);
  if (found == children_.end())
    return;
  const auto at = found->second.at;
  children_.erase(found);
  --living_[static_cast<std::size_t>(at)];
  if (stopping_)
    return advance();
  switch (rule_of(at).loss) {
    case when_lost::forget: return;
    case when_lost::restart:
      for (std::size_t i = 0; i < ports_.size(); ++i) {
        if (ports_[i].address == down.source)
          return on_port_down(i, down.reason);
      }
      return;
    case when_lost::fatal:
      spdlog::critical("lost {}: {}; the server stops", rule_of(at).name, text_of(down.reason));
      begin_stop(down.reason ? down.reason
                             : make_error(errc::internal, std::string{rule_of(at).name} + " ended"));
  }
}

void server_root_state::on_port_down(std::size_t index, const caf::error& why) {
  auto& place = ports_[index];
  const auto now = self_->clock().now();
  place.handle = nullptr;
  place.deaths.push_back(now);
  while (now - place.deaths.front() > restart_window)
    place.deaths.pop_front();
  const auto& label = options_.ports[index].name;
  if (place.deaths.size() > restarts_max) {
    spdlog::critical("the port '{}' died {} times within {} s: {}; the server stops", label,
                     place.deaths.size(), restart_window.count(), text_of(why));
    begin_stop(why);
    return;
  }
  spdlog::error("the port '{}' died: {}; starting it again", label, text_of(why));
  ++place.restarts;
  place.last_words = text_of(why);
  self_->delayed_send(self_, restart_pause, atom::respawn_v, static_cast<std::uint32_t>(index));
}

// -- stop -----------------------------------------------------------------------------------------

void server_root_state::begin_stop(caf::error why) {
  if (std::exchange(stopping_, true))
    return;
  reason_ = std::move(why);
  spdlog::info("stopping: {}", status());
  stopping_stage_ = 0;
  stop_stage();
  advance();
}

void server_root_state::stop_stage() {
  const auto at = static_cast<stage>(stopping_stage_);
  if (living_[stopping_stage_] == 0)
    return;
  for (const auto& [address, c] : children_) {
    if (c.at == at)
      ask_to_stop(c, false);
  }
  self_->delayed_send(self_, rule_of(at).grace, atom::tick_v,
                      static_cast<std::uint32_t>(stopping_stage_));
}

void server_root_state::advance() {
  while (stopping_stage_ < stages && living_[stopping_stage_] == 0) {
    ++stopping_stage_;
    if (stopping_stage_ < stages)
      stop_stage();
  }
  if (stopping_stage_ == stages && children_.empty()) {
    for (auto& place : ports_)
      place.handle = nullptr;
    self_->quit(reason_);
  }
}

void server_root_state::on_grace_over(std::uint32_t stage_index) {
  if (!stopping_ || stage_index != stopping_stage_)
    return;
  const auto at = static_cast<stage>(stage_index);
  spdlog::warn("{} of stage {} did not stop in time and are killed", living_[stage_index],
               rule_of(at).name);
  for (const auto& [address, c] : children_) {
    if (c.at == at)
      ask_to_stop(c, true);
  }
}

void server_root_state::ask_to_stop(const child& c, bool kill) {
  const caf::exit_msg stop{self_->address(), kill ? caf::exit_reason::kill
                                                  : caf::exit_reason::user_shutdown};
  if (kill || rule_of(c.at).jumps_queue)
    caf::anon_send<caf::message_priority::high>(c.handle, stop);
  else
    caf::anon_send(c.handle, stop);
}

// -- questions ------------------------------------------------------------------------------------

caf::result<std::uint16_t> server_root_state::bound(door which) {
  for (std::size_t i = 0; i < ports_.size(); ++i) {
    if (options_.ports[i].door == which && ports_[i].handle) {
      auto answer = self_->make_response_promise<std::uint16_t>();
      self_->request(ports_[i].handle, caf::infinite, atom::bound_v)
        .then([answer](std::uint16_t port) mutable { answer.deliver(port); },
              // The port has just died: not bound, for the moment.
              [answer](const caf::error&) mutable { answer.deliver(std::uint16_t{0}); });
      return answer;
    }
  }
  return std::uint16_t{0};
}

census_ptr server_root_state::count() const {
  auto out = std::make_shared<census>();
  for (std::size_t i = 0; i < stages; ++i)
    out->by_stage[std::string{stage_rules[i].name}] = living_[i];
  for (std::size_t i = 0; i < ports_.size(); ++i)
    out->restarts[options_.ports[i].name] = ports_[i].restarts;
  out->running = self_->system().registry().running();
  out->detached = self_->system().detached_actors();
  return out;
}

caf::result<metrics_text> server_root_state::metrics() {
  auto answer = self_->make_response_promise<metrics_text>();
  auto text = std::make_shared<std::string>();
  for (std::size_t i = 0; i < stages; ++i)
    *text += "muster_actors{stage=\"" + std::string{stage_rules[i].name} + "\"} "
             + std::to_string(living_[i]) + "\n";
  // One share more than there are askers, so that the answer waits for the end of this function.
  auto outstanding = std::make_shared<std::size_t>(1);
  // An empty share is the answer of one that could not tell.
  const std::function<void(const metrics_text&)> deliver = [=](const metrics_text& share) mutable {
    if (share)
      *text += *share;
    if (--*outstanding == 0)
      answer.deliver(metrics_text{text});
  };
  for (const auto& place : ports_) {
    if (!place.handle)
      continue;
    ++*outstanding;
    self_->request(place.handle, caf::infinite, atom::metrics_v)
      .then(deliver, [deliver](const caf::error&) { deliver(nullptr); });
  }
  for (const auto& ask : options_.measured) {
    ++*outstanding;
    ask(self_, deliver);
  }
  deliver(nullptr);
  return answer;
}

std::string server_root_state::status() const {
  std::string out;
  for (std::size_t i = 0; i < stages; ++i) {
    if (!out.empty())
      out += ", ";
    out += std::string{stage_rules[i].name} + " " + std::to_string(living_[i]);
  }
  return out;
}

server_root_actor::behavior_type
server_root(server_root_actor::stateful_pointer<server_root_state> self,
            server_root_options options) {
  return self->state.make_behavior(std::move(options));
}

} // namespace muster::actors
