#include "actors/agent/connection.hpp"

#include "net/errc.hpp"
#include "net/link_actor.hpp"
#include "storage/keys.hpp"
#include "storage/records.hpp"

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

connection_actor::behavior_type connection_state::make_behavior(connection_options options,
                                                                connection_peers peers) {
  options_ = std::move(options);
  peers_ = std::move(peers);
  random_.seed(options_.seed);
  backoff_ = rules::backoff{options_.backoff};
  period_ = options_.period;
  jitter_percent_ = options_.jitter_percent;
  not_before_ = told_not_before_ = sync_due_ = linger_until_ = heard_at_ = now();
  self_->set_exit_handler([this](const caf::exit_msg& stop) { on_stop(stop); });
  self_->send(peers_.spool, atom::subscribe_v, caf::actor_cast<caf::actor>(self_));
  load_counter();
  arm_tick();
  return {
    [this](atom::opened, const net::accepted_ptr& connection) { on_opened(connection); },
    [this](atom::failed, std::error_code ec, const std::string& why) { on_failed(ec, why); },
    [this](atom::frame, const frame_ptr& bytes) { on_frame(bytes); },
    [this](atom::closed, std::error_code why) { on_closed(why); },
    [this](atom::ready) { on_events_ready(); },
    [this](atom::sync) { return on_sync_asked(); },
    [this](atom::tick) { on_tick(); },
    [this](atom::status) { return status(); },
  };
}

void connection_state::load_counter() {
  self_
    ->request(peers_.reader, caf::infinite, atom::get_v, storage::family::meta,
              storage::keys::setting("hello_counter"))
    .then(
      [this](const read_result& found) {
        std::uint64_t counter = 0;
        if (found.value && storage::records::decode_number(*found.value, counter)) {
          spdlog::error("the spool's hello counter cannot be read; counting goes on from the clock");
          counter = static_cast<std::uint64_t>(options_.now_us() / 1'000'000);
        }
        counter_ = counter;
        consider();
      },
      [this](const caf::error& why) { self_->quit(why); });
}

bool connection_state::events_pending() const { return events_waiting_ || !in_flight_.empty(); }

/// Connects if there is a reason and nothing speaks against it; on an open connection does what
/// there is to do.
void connection_state::consider() {
  if (stopping_)
    return hand_over();
  if (now() >= sync_due_)
    sync_wanted_ = true;
  if (phase_ == phase::open) {
    if (sync_wanted_ && !syncing_)
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
  const auto silence = now() - heard_at_;
  if (in_exchange() && silence >= options_.silence_max) {
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
  if (in_exchange())
    next = std::min(next, heard_at_ + options_.silence_max);
  self_->delayed_send(self_, std::max<caf::timespan>(next - clock, 10ms), atom::tick_v);
}

/// Whether the server owes us something. Dialling has limits of its own.
bool connection_state::in_exchange() const {
  if (phase_ == phase::greeted || phase_ == phase::closing)
    return true;
  const bool position_owed = events_asked_ && !events_open_ && !fetching_;
  return phase_ == phase::open && !looking_
         && (syncing_ || !in_flight_.empty() || position_owed);
}

void connection_state::on_opened(const net::accepted_ptr& connection) {
  if (phase_ != phase::dialling)
    return connection->connection->close();
  link_ = connection->connection;
  resumed_ = connection->peer.resumed;
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
  syncing_ = looking_ = events_asked_ = events_open_ = false;
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
  consider();
}

void connection_state::close_if_done() {
  const bool events_busy = events_pending() || went_back_ || fetching_;
  if (stopping_)
    return phase_ == phase::open && !events_busy ? finish() : void();
  const bool busy = syncing_ || looking_ || sync_wanted_ || events_busy;
  if (phase_ == phase::open && !busy && !keeping() && now() >= linger_until_)
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
  const auto wait = backoff_.next(random_);
  spdlog::warn("{}: {}; trying again in {:.1f} s", options_.server, why,
               std::chrono::duration<double>(wait).count());
  last_words_ = why;
  not_before_ = std::max(not_before_, now() + wait);
}

/// The server sends us away for a while.
void connection_state::obey(std::chrono::milliseconds pause, errc code, std::string why) {
  last_words_ = std::move(why);
  told_not_before_ = std::max(told_not_before_, now() + pause);
  answer_askers(make_error(code, last_words_));
  sync_wanted_ = sync_wanted_ || (syncing_ && looked_);
  if (stopping_)
    return finish();
  close_link();
}

caf::result<caf::ok_atom> connection_state::on_sync_asked() {
  if (stopping_)
    return make_error(errc::stopping, "the agent is stopping");
  if (now() < told_not_before_) {
    const auto wait = std::chrono::ceil<std::chrono::seconds>(told_not_before_ - now());
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

connection_actor::behavior_type
connection(connection_actor::stateful_pointer<connection_state> self, connection_options options,
           connection_peers peers) {
  return self->state.make_behavior(std::move(options), std::move(peers));
}

} // namespace muster::actors
