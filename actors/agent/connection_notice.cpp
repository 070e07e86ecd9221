// The connection's part that tells the server that this machine goes away.
#include "actors/agent/connection.hpp"
#include "actors/agent/connection_farewell.hpp"

#include <caf/send.hpp>

#include <spdlog/spdlog.h>

#include <utility>

namespace muster::actors {

caf::result<bool> connection_state::on_going(off_reason why) {
  if (stopping_)
    return false; // the stop says its own last word
  if (why == off_reason::none) {
    going_ = why;
    away_until_ = now();
    call_soon();
    return true;
  }
  going_ = why;
  away_until_ = now() + options_.away_max;
  go_away();
  auto promise = self_->make_response_promise<bool>();
  tell_going(why, [promise](bool acknowledged) mutable { promise.deliver(acknowledged); });
  return promise;
}

/// Whatever is going on ends here: the machine will not be there to see its end.
void connection_state::go_away() {
  answer_askers(make_error(errc::not_connected, "this machine goes away"));
  end_wake_probe(false, "this machine goes away");
  ++looks_; // a look in progress is void
  looking_ = false;
  if (phase_ == phase::preparing || phase_ == phase::dialling)
    phase_ = phase::idle;
  else if (phase_ == phase::greeted || phase_ == phase::open)
    close_link();
}

/// Answers whether the server has acknowledged. Whoever asks while a notice is on its way shares it.
void connection_state::tell_going(off_reason why, std::function<void(bool)> then) {
  if (farewell_)
    return farewell_->waiting.push_back(std::move(then));
  const bool can = peers_.datagrams.send_notice && !address_.empty() && !options_.keys.empty();
  if (!can || !counter_)
    return then(false); // the server has not seen us, or there is no key: nothing to tell
  const auto number = ++farewells_;
  farewell_ = std::make_unique<farewell>();
  farewell_->until = now() + notice_max;
  farewell_->waiting.push_back(std::move(then));
  farewell_->key = options_.keys.front().notice;
  auto& what = farewell_->what;
  what.generation = options_.keys.front().generation;
  what.device_id = options_.device.bytes;
  what.boot_id = options_.boot.bytes;
  what.reason = static_cast<net::notice_reason>(why);
  draw_counter(
    [this, number](std::uint64_t counter) {
      if (!farewell_ || number != farewells_)
        return;
      farewell_->what.counter = counter;
      farewell_->bytes = net::make_notice(farewell_->what, farewell_->key);
      try_notice(number);
    },
    [this, number](const caf::error& problem) {
      if (number != farewells_)
        return;
      spdlog::warn("the notice's counter could not be written: {}", text_of(problem));
      end_notice(false);
    });
  // A disk that does not answer ends it too.
  self_->delayed_send(self_, notice_max, atom::notice_v, number);
}

void connection_state::try_notice(std::uint32_t number) {
  if (!farewell_ || number != farewells_)
    return;
  const auto& going = *farewell_;
  if (now() >= going.until) {
    spdlog::info("{} has not acknowledged that this device goes", options_.server);
    return end_notice(false);
  }
  peers_.datagrams.send_notice(
    address_, going.bytes,
    [what = going.what, key = going.key](std::string_view bytes) {
      return net::check_acknowledgement(bytes, what, key);
    },
    [me = connection_actor{self_}, number] { caf::anon_send(me, atom::acked_v, number); });
  if (now() + options_.notice_retry < going.until)
    self_->delayed_send(self_, options_.notice_retry, atom::notice_v, number);
}

void connection_state::end_notice(bool acknowledged) {
  const auto done = std::exchange(farewell_, nullptr);
  if (!done)
    return;
  if (acknowledged)
    told_counter_ = done->what.counter;
  for (auto& then : done->waiting)
    then(acknowledged);
}

} // namespace muster::actors
