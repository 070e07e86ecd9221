#include "actors/server/event_tail.hpp"

#include "actors/server/api/present.hpp"
#include "actors/server/api/reply.hpp"
#include "net/http.hpp"

#include <caf/exit_reason.hpp>

#include <nlohmann/json.hpp>

#include <utility>

namespace muster::actors {

namespace {

/// How often a farewell that found no room is tried again.
constexpr auto farewell_retry = std::chrono::milliseconds{250};

} // namespace

event_tail_actor::behavior_type event_tail_state::make_behavior(event_tail_options options) {
  options_ = std::move(options);
  self_->set_exit_handler([this](const caf::exit_msg& stop) {
    if (farewell_.empty())
      (void)options_.connection->try_send(
        net::http::event_stream_item("end", "", R"({"reason":"stopping","detail":"the server is )"
                                                R"(stopping"})"));
    options_.connection->close();
    self_->quit(stop.reason);
  });
  self_->send(options_.event_book, atom::subscribe_v, event_tail_actor{self_});
  self_->delayed_send(self_, tail_comment_interval, atom::tick_v);
  return {
    [this](atom::publish, const stored_events_ptr& stored) { on_events(*stored); },
    [this](atom::closed) { end(); },
    [this](atom::tick) { on_tick(); },
    [this](atom::status) { return std::to_string(told_) + " events told"; },
  };
}

void event_tail_state::on_events(const stored_events& stored) {
  if (!farewell_.empty() || (options_.device && stored.batch->device != *options_.device))
    return;
  for (const auto& event : stored.batch->events) {
    if (event.severity < options_.severity_min)
      continue;
    admin::event shown;
    api::present(stored, event, shown);
    const auto item = net::http::event_stream_item("event", std::to_string(stored.received_us),
                                                   api::to_json(shown));
    if (!options_.connection->try_send(item))
      return say_goodbye("slow", "events came faster than this connection took them; ask again, "
                                 "and get what was missed from /api/v1/events");
    ++told_;
  }
}

void event_tail_state::on_tick() {
  if (!farewell_.empty())
    return try_goodbye();
  self_->delayed_send(self_, tail_comment_interval, atom::tick_v);
  if (!options_.connection->try_send(net::http::event_stream_comment()))
    return say_goodbye("slow", "this connection takes nothing any more");
  look_after_login();
}

void event_tail_state::look_after_login() {
  self_->request(options_.accounts, caf::infinite, atom::verify_v, options_.bearer)
    .then(
      [this](const console_user& user) {
        if (user.name.empty())
          say_goodbye("login", "the log-in has ended; log in again");
      },
      [this](const caf::error&) { say_goodbye("stopping", "the server is stopping"); });
}

void event_tail_state::say_goodbye(std::string_view reason, std::string_view detail) {
  if (!farewell_.empty())
    return;
  farewell_ = net::http::event_stream_item(
    "end", "", nlohmann::json{{"reason", reason}, {"detail", detail}}.dump());
  farewell_until_ = self_->clock().now() + tail_farewell_max;
  try_goodbye();
}

/// The reader gets a while to make room for the last word.
void event_tail_state::try_goodbye() {
  if (options_.connection->try_send(farewell_) || self_->clock().now() >= farewell_until_)
    return end();
  self_->delayed_send(self_, farewell_retry, atom::tick_v);
}

void event_tail_state::end() {
  options_.connection->close();
  self_->quit();
}

event_tail_actor::behavior_type event_tail(event_tail_actor::stateful_pointer<event_tail_state> self,
                                           event_tail_options options) {
  return self->state.make_behavior(std::move(options));
}

} // namespace muster::actors
