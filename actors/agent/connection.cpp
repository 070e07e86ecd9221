#include "actors/agent/connection.hpp"

#include "actors/agent/connection_farewell.hpp"
#include "net/errc.hpp"
#include "net/link_actor.hpp"

#include <spdlog/spdlog.h>

#include <caf/exit_reason.hpp>

#include <algorithm>
#include <utility>

namespace muster::actors {

using namespace std::chrono_literals;

namespace {

/// Messages the server may have on its way to us; more than it ever needs.
constexpr std::size_t credit = 8;

} // namespace

connection_state::connection_state(connection_actor::pointer self) : self_(self) {}

connection_state::~connection_state() = default;

connection_actor::behavior_type connection_state::make_behavior(connection_options options,
                                                                connection_peers peers) {
  options_ = std::move(options);
  peers_ = std::move(peers);
  random_.seed(options_.seed);
  backoff_ = rules::backoff{options_.backoff};
  period_ = options_.period;
  jitter_percent_ = options_.jitter_percent;
  not_before_ = told_not_before_ = sync_due_ = linger_until_ = heard_at_ = keys_due_ = now();
  refused_until_ = away_until_ = settling_until_ = now();
  if (options_.slept)
    slept_ = options_.slept();
  self_->set_exit_handler([this](const caf::exit_msg& stop) { on_stop(stop); });
  self_->send(peers_.spool, atom::subscribe_v, caf::actor_cast<caf::actor>(self_));
  tell_terms(0);
  load_counters();
  arm_tick();
  return {
    [this](atom::opened, const net::accepted_ptr& connection) { on_opened(connection); },
    [this](atom::failed, std::error_code ec, const std::string& why) { on_failed(ec, why); },
    [this](atom::frame, const frame_ptr& bytes) { on_frame(bytes); },
    [this](atom::closed, std::error_code why) { on_closed(why); },
    [this](atom::ready) { on_events_ready(); },
    [this](atom::sync) { return on_sync_asked(); },
    [this](atom::wake, wake_purpose why, std::uint64_t counter) { on_wake(why, counter); },
    [this](atom::notice, off_reason why) { return on_going(why); },
    [this](atom::changed) { on_states_changed(); },
    [this](atom::publish, const agent_policy& policy) { on_policy(policy); },
    [this](atom::contact) { on_network_changed(); },
    [this](atom::probe) { return on_wake_probe(); },
    [this](atom::get) { return report(); },
    [this](atom::acked, std::uint32_t number) {
      if (number == farewells_)
        end_notice(true);
    },
    [this](atom::notice, std::uint32_t number) { try_notice(number); },
    [this](atom::probe, std::uint32_t number) {
      if (wake_test_ && wake_test_->number == number)
        end_wake_probe(false, {});
      consider();
    },
    [this](atom::next) { on_call_due(); },
    [this](atom::tick) { on_tick(); },
    [this](atom::status) { return status(); },
  };
}

bool connection_state::events_pending() const { return events_waiting_ || !in_flight_.empty(); }

/// Connects if there is a reason and nothing speaks against it; on an open connection does what
/// there is to do.
void connection_state::consider() {
  if (stopping_)
    return hand_over();
  if (now() >= sync_due_ && !syncing_ && !sync_ended_)
    sync_wanted_ = true;
  if (phase_ == phase::open) {
    if (sync_wanted_ && !syncing_ && !documents_pending())
      begin_sync();
    if (events_waiting_)
      open_events();
    close_if_done();
    return;
  }
  const bool reason = sync_wanted_ || events_waiting_ || keeping();
  if (phase_ == phase::idle && counter_ && reason && now() >= next_attempt())
    prepare();
}

void connection_state::on_tick() {
  if (stopping_) // the tick that was in flight finds that it is not yet time
    return now() >= stop_by_ ? finish() : void();
  arm_tick();
  look_for_sleep();
  const auto silence = now() - heard_at_;
  if (in_exchange() && silence >= (proving_ ? options_.proof_max : options_.silence_max)) {
    if (phase_ == phase::closing) // a link that never tells its end
      return on_closed({});
    spdlog::warn("{} has been silent for {} s in the middle of an exchange", options_.server,
                 std::chrono::duration_cast<std::chrono::seconds>(silence).count());
    return give_up("the server fell silent");
  }
  consider();
}

void connection_state::arm_tick() {
  const auto clock = now();
  auto next = clock + options_.tick_max;
  if (phase_ == phase::idle) {
    const bool reason = sync_wanted_ || events_waiting_ || keeping();
    next = std::min(next, std::max(next_attempt(), reason ? clock : sync_due_));
  }
  if (phase_ == phase::open && settling_until_ > clock)
    next = std::min(next, settling_until_);
  if (in_exchange())
    next = std::min(next, heard_at_ + (proving_ ? options_.proof_max : options_.silence_max));
  self_->delayed_send(self_, std::max<caf::timespan>(next - clock, 10ms), atom::tick_v);
}

/// Whether the server owes us something. Dialling has limits of its own.
bool connection_state::in_exchange() const {
  if (phase_ == phase::greeted || phase_ == phase::closing)
    return true;
  const bool position_owed = events_asked_ && !events_open_ && !fetching_;
  return phase_ == phase::open && !looking_
         && (syncing_ || !in_flight_.empty() || position_owed || documents_asked_);
}

void connection_state::on_opened(const net::accepted_ptr& connection) {
  if (phase_ != phase::dialling)
    return connection->connection->close();
  link_ = connection->connection;
  resumed_ = connection->peer.resumed;
  address_ = connection->peer.address;
  source_ = peers_.datagrams.source_towards ? peers_.datagrams.source_towards(address_)
                                            : std::string{};
  net::attach_session(*link_, connection_actor{self_});
  link_->trust();
  phase_ = phase::greeted;
  heard_at_ = now();
  greet();
  link_->grant(credit);
}

void connection_state::on_failed(std::error_code ec, const std::string& why) {
  if (phase_ != phase::dialling)
    return;
  if (for_keys_) { // the counter is still good: nobody has seen it
    spdlog::warn("{}; until keys have come that way, the server cannot call this device", why);
    return dial();
  }
  // Nobody there says nothing about the ticket; a handshake that failed may be its fault.
  const bool heard = ec.category() == net::net_category() && ec != net::errc::timed_out
                     && ec != net::errc::name_not_found;
  if (heard)
    peers_.way.forget_session();
  give_up(why);
}

void connection_state::on_closed(std::error_code why) {
  const bool expected = phase_ == phase::closing;
  const bool unheard = phase_ == phase::greeted;
  phase_ = phase::idle;
  link_.reset();
  snapshot_.reset();
  report_.reset();
  forget_documents();
  syncing_ = looking_ = events_asked_ = events_open_ = proving_ = false;
  if (wake_test_)
    wake_test_->asked = false;
  ++generation_; // an answer of the spool for this stream is void
  const bool fetching = std::exchange(fetching_, false); // renumbering or the next batch: void, too
  if (!std::exchange(in_flight_, {}).empty() || fetching)
    events_waiting_ = true;
  if (!expected) {
    const std::string text = why ? why.message() : "the server closed the connection";
    if (unheard)
      peers_.way.forget_session();
    give_up(text);
  }
  for_keys_ = false;
  consider();
}

void connection_state::close_if_done() {
  const bool events_busy = events_pending() || went_back_ || fetching_;
  if (stopping_)
    return phase_ == phase::open && !events_busy ? finish() : void();
  const bool busy = syncing_ || looking_ || sync_wanted_ || events_busy || wake_test_ ||
                    documents_pending();
  const bool stays =
    (keeping() || now() < std::max(linger_until_, settling_until_)) && !for_keys_;
  if (phase_ == phase::open && !busy && !stays)
    close_link();
}

void connection_state::close_link() {
  phase_ = phase::closing;
  heard_at_ = now();
  if (link_)
    link_->close();
}

/// Whatever was going on has failed: those who wait for it are told, and there is a pause.
void connection_state::give_up(const std::string& why) {
  answer_askers(make_error(errc::not_connected, why));
  end_wake_probe(false, why);
  if (stopping_) {
    spdlog::info("{}: {}; the events that are left wait for the next start", options_.server, why);
    return finish();
  }
  back_off(why);
  if (link_)
    close_link();
  else
    phase_ = phase::idle;
}

void connection_state::back_off(const std::string& why) {
  last_words_ = last_error_ = why;
  last_error_us_ = options_.now_us();
  if (for_keys_) // the other way has not failed
    return spdlog::warn("{}: {}, where it gives keys", options_.server, why);
  const auto wait = backoff_.next(random_);
  spdlog::warn("{}: {}; trying again in {:.1f} s", options_.server, why,
               std::chrono::duration<double>(wait).count());
  not_before_ = std::max(not_before_, now() + wait);
}

/// The server sends us away for a while.
void connection_state::obey(std::chrono::milliseconds pause, errc code, std::string why) {
  last_words_ = std::move(why);
  told_not_before_ = std::max(told_not_before_, now() + pause);
  last_error_ = last_words_;
  last_error_us_ = options_.now_us();
  answer_askers(make_error(code, last_words_));
  end_wake_probe(false, last_words_);
  sync_wanted_ = sync_wanted_ || (syncing_ && looked_);
  if (stopping_)
    return finish();
  close_link();
}

caf::result<caf::ok_atom> connection_state::on_sync_asked() {
  if (stopping_)
    return make_error(errc::stopping, "the agent is stopping");
  if (const auto barred = std::max({told_not_before_, refused_until_, away_until_});
      now() < barred) {
    const auto wait = std::chrono::ceil<std::chrono::seconds>(barred - now());
    return make_error(errc::not_connected,
                      last_words_ + ", to come back in " + std::to_string(wait.count()) + " s");
  }
  sync_wanted_ = true;
  not_before_ = now();
  askers_.push_back(self_->make_response_promise<caf::ok_atom>());
  auto answer = askers_.back();
  consider();
  return answer;
}

void connection_state::answer_askers(const caf::error& why) {
  for (auto& asker : std::exchange(askers_, {})) {
    if (why)
      asker.deliver(why);
    else
      asker.deliver(caf::ok_atom_v);
  }
}

std::string connection_state::status() const {
  static constexpr const char* words[] = {"not connected", "preparing", "connecting",
                                          "connecting",    "connected", "closing"};
  std::string out = words[static_cast<std::size_t>(phase_)];
  out += " to " + options_.server + ", " + std::to_string(syncs_) + (syncs_ == 1 ? " sync" : " syncs");
  if (last_sync_us_ != 0)
    out += ", last " + std::to_string((options_.now_us() - last_sync_us_) / 1'000'000) + " s ago";
  if (phase_ == phase::idle && now() < next_attempt())
    out += ", " + last_words_ + ", next attempt in "
           + std::to_string(std::chrono::ceil<std::chrono::seconds>(next_attempt() - now()).count())
           + " s";
  return out;
}

connection_report_ptr connection_state::report() const {
  auto out = std::make_shared<connection_report>();
  const auto clock = now();
  const auto wall_us = options_.now_us();
  const auto at = [&](time_point when) {
    return wall_us + std::chrono::duration_cast<std::chrono::microseconds>(when - clock).count();
  };
  out->server = options_.server;
  out->address = address_;
  out->state = status();
  out->connected = phase_ == phase::open;
  out->keep = keeping();
  out->syncs = syncs_;
  out->last_sync_us = last_sync_us_;
  out->next_sync_us = at(sync_wanted_ ? std::max(clock, next_attempt()) : sync_due_);
  out->next_attempt_us = clock < next_attempt() ? at(next_attempt()) : 0;
  out->last_error = last_error_;
  out->last_error_us = last_error_us_;
  out->clock_offset_ms = clock_offset_ms_;
  out->clock_told_us = clock_told_us_;
  out->wake_counter = wake_counter_;
  out->wakes = wakes_;
  out->datagram_generation = options_.keys.empty() ? 0 : options_.keys.front().generation;
  return out;
}

connection_actor::behavior_type
connection(connection_actor::stateful_pointer<connection_state> self, connection_options options,
           connection_peers peers) {
  return self->state.make_behavior(std::move(options), std::move(peers));
}

} // namespace muster::actors
