#include "actors/agent/event_spool.hpp"

#include "actors/agent/limits.hpp"
#include "net/certificate.hpp"

#include <caf/actor_cast.hpp>
#include <caf/send.hpp>

#include <muster/assert.hpp>

#include <spdlog/fmt/fmt.h>
#include <spdlog/spdlog.h>

#include <array>
#include <cstring>
#include <utility>

namespace muster::actors {

std::uint64_t draw_random_epoch() {
  std::uint64_t epoch = 0;
  while (epoch == 0) {
    std::array<std::uint8_t, sizeof epoch> bytes{};
    net::random_bytes(bytes);
    std::memcpy(&epoch, bytes.data(), sizeof epoch);
  }
  return epoch;
}

event_spool_state::~event_spool_state() {
  // Killed, or the disk has failed us: nobody waits in vain.
  const auto why = make_error(errc::stopping, "the agent's spool has ended");
  for (auto& raise : committing_)
    raise.promise.deliver(why);
  for (auto& raise : raises_)
    raise.promise.deliver(why);
  if (present_.give_up)
    present_.give_up(why);
  for (const auto& next : waiting_)
    if (next.give_up)
      next.give_up(why);
}

event_spool_actor::behavior_type event_spool_state::make_behavior(event_spool_options options,
                                                                  event_spool_peers peers) {
  MUSTER_ASSERT(options.draw_epoch && options.now_us, "a spool needs randomness and a clock");
  options_ = std::move(options);
  peers_ = std::move(peers);
  index_ = spool_index{options_.bounds};
  self_->set_exit_handler([this](const caf::exit_msg& why) { on_stop(why); });
  queue({[this] { recover(); }, {}});
  return {
    [this](atom::raise, const raised_event_ptr& event) { return on_raise(event); },
    [this](atom::next, const event_position& after, std::uint32_t bytes_max) {
      return on_next(after, bytes_max);
    },
    [this](atom::acked, const event_position& position) { on_acked(position); },
    [this](atom::renumber, const event_position& position) { return on_renumber(position); },
    [this](atom::count) { return on_count(); },
    [this](atom::subscribe, const caf::actor& whom) { on_subscribe(whom); },
    [this](atom::tick) {
      if (std::exchange(erase_again_, false))
        queue({[this] {
                 forget();
                 done();
               },
               {}});
    },
    [this](atom::status) { return status(); },
  };
}

// -- one thing at a time --------------------------------------------------------------------------

void event_spool_state::queue(operation what) {
  waiting_.push_back(std::move(what));
  if (!busy_)
    done();
}

/// The present operation is over: the next one begins.
void event_spool_state::done() {
  busy_ = false;
  present_ = {};
  if (!waiting_.empty()) {
    busy_ = true;
    present_ = std::move(waiting_.front());
    waiting_.pop_front();
    const auto run = std::exchange(present_.run, {});
    run(); // may end in done(): nothing of us is touched behind this
  } else if (stopping_) {
    self_->quit(*stopping_);
  }
}

void event_spool_state::on_stop(const caf::exit_msg& why) {
  if (stopping_)
    return;
  stopping_ = why.reason;
  if (!busy_)
    self_->quit(*stopping_);
}

/// What the disk says and what we know of it do not agree: only a new look helps.
void event_spool_state::fail(const caf::error& why) {
  spdlog::error("spool: {}", text_of(why));
  self_->quit(why);
}

caf::result<std::uint64_t> event_spool_state::on_count() {
  auto promise = self_->make_response_promise<std::uint64_t>();
  queue({[this, promise]() mutable {
           promise.deliver(std::uint64_t{index_.events()});
           done();
         },
         [promise](const caf::error& why) mutable { promise.deliver(why); }});
  return promise;
}

// -- the subscriber -------------------------------------------------------------------------------

/// By address: whoever sends on the events also holds us.
void event_spool_state::on_subscribe(const caf::actor& whom) {
  subscriber_ = whom.address();
  tell_ready();
}

void event_spool_state::tell_ready() {
  const auto whom = caf::actor_cast<caf::actor>(subscriber_);
  if (whom && !index_.empty())
    caf::anon_send(whom, atom::ready_v);
}

// -- what the server holds ------------------------------------------------------------------------

void event_spool_state::on_acked(const event_position& position) {
  const auto forget_it = [this, position] {
    if (index_.is_ahead(position)) {
      spdlog::warn("spool: the server holds events of this start that were never raised here; "
                   "everything is named anew");
      return renumber(position, {});
    }
    index_.cut(index_.end_of(position));
    forget();
    done();
  };
  queue({forget_it, {}});
}

/// Lets the disk follow the index. Not waited for: what is asked later is written later.
void event_spool_state::forget() {
  const auto end = index_.first_number();
  if (end <= erased_to_)
    return;
  write(
    erasures(), erase_urgently_ ? durability::urgent : durability::fact,
    [this, end] { erased(end); },
    [this](const caf::error&) { not_erased(); });
}

storage::change_batch event_spool_state::erasures() const {
  const auto end = index_.first_number();
  return end > erased_to_ ? erase_events(erased_to_, end) : storage::change_batch{};
}

void event_spool_state::erased(std::uint64_t end) {
  erased_to_ = std::max(erased_to_, end);
  erase_urgently_ = false;
}

/// They are sent again if the agent starts anew before it works; the server knows them. On a full
/// disk it is the only way to have room again.
void event_spool_state::not_erased() {
  erase_urgently_ = true;
  if (!std::exchange(erase_again_, true))
    self_->delayed_send(self_, limits::spool_retry, atom::tick_v);
}

void event_spool_state::write(storage::change_batch changes, durability how,
                              std::function<void()> then,
                              std::function<void(const caf::error&)> failed) {
  self_
    ->request(peers_.writer, caf::infinite, atom::put_v,
              std::make_shared<const storage::change_batch>(std::move(changes)), how)
    .then([then = std::move(then)](caf::ok_atom) { then(); },
          [failed = std::move(failed)](const caf::error& why) { failed(why); });
}

std::string event_spool_state::status() const {
  return fmt::format("{} events wait ({} KB), {} dropped", index_.events(), index_.bytes() / 1024,
                     dropped_);
}

event_spool_actor::behavior_type
event_spool(event_spool_actor::stateful_pointer<event_spool_state> self,
            event_spool_options options, event_spool_peers peers) {
  return self->state.make_behavior(std::move(options), std::move(peers));
}

} // namespace muster::actors
