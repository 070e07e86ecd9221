#include "actors/server/console_session.hpp"

#include "actors/errc.hpp"
#include "actors/server/api/handlers.hpp"
#include "actors/server/event_tail.hpp"
#include "net/limits.hpp"
#include "net/link_actor.hpp"

#include <caf/actor_cast.hpp>

#include <spdlog/spdlog.h>

#include <utility>

namespace muster::actors {

console_session_state::~console_session_state() = default;

console_session_actor::behavior_type
console_session_state::make_behavior(net::accepted_ptr connection, console_services_ptr services,
                                     server_root_actor root) {
  link_ = connection->connection;
  address_ = connection->peer.address;
  services_ = std::move(services);
  root_ = std::move(root);
  quiet_since_ = self_->clock().now();
  self_->set_exit_handler([this](const caf::exit_msg& stop) {
    // A stream has a last word of its own to say, and then closes.
    if (!tail_)
      link_->close();
    self_->quit(stop.reason);
  });
  self_->set_down_handler([this](const caf::down_msg&) { end(); }); // the stream's end is ours
  net::attach_session(*link_, console_session_actor{self_});
  link_->grant(1);
  self_->delayed_send(self_, console_idle_max, atom::tick_v);
  return {
    [this](atom::frame, const frame_ptr& bytes) { on_request(*bytes); },
    [this](atom::closed, std::error_code) { on_closed(); },
    [this](atom::tick) { on_tick(); },
    [this](atom::status) { return status(); },
  };
}

// -- one request ----------------------------------------------------------------------------------

void console_session_state::on_request(const std::string& bytes) {
  if (tail_)
    return end(); // a stream takes no requests
  busy_ = true;
  ++requests_;
  std::error_code ec;
  auto request = net::http::parse_request(bytes, ec);
  if (!request) {
    keep_alive_ = false;
    return answer(api::problem(400, "this is no HTTP request that the server understands"));
  }
  keep_alive_ = request->keep_alive;
  net::http::response refusal;
  auto what = api::begin_call(std::move(*request), api::is_loopback(address_), refusal);
  if (!what)
    return answer(std::move(refusal));
  if (api::needs_user(*what, api::is_loopback(address_)))
    authenticate(std::move(what));
  else
    serve(std::move(what), {});
}

void console_session_state::authenticate(std::shared_ptr<api::call> what) {
  self_->request(services_->accounts, caf::infinite, atom::verify_v, what->bearer)
    .then(
      [this, what](const console_user& user) {
        if (user.name.empty())
          return answer(api::unauthorized("this log-in is not valid, or has ended; log in again"));
        link_->trust(); // with larger bodies, from the next request on
        serve(what, user);
      },
      [this](const caf::error& why) { answer(api::problem(why)); });
}

void console_session_state::serve(std::shared_ptr<api::call> what, console_user user) {
  net::http::response refusal;
  if (!api::finish_call(*what, user, refusal))
    return answer(std::move(refusal));
  const auto x = std::make_shared<api::exchange>();
  x->self = self_;
  x->services = services_;
  x->root = root_;
  x->asked = what;
  x->user = std::move(user);
  x->source = address_;
  x->answer = [this](net::http::response r) { answer(std::move(r)); };
  x->become_stream = [this, what] { become_stream(*what); };
  api::handle(what->where->what, x);
}

void console_session_state::answer(net::http::response r) {
  if (r.body.size() > api::answer_bytes_max)
    r = api::problem(500, "the answer is larger than this server sends; ask for fewer rows");
  r.keep_alive = keep_alive_;
  busy_ = false;
  quiet_since_ = self_->clock().now();
  if (!link_->try_send(net::http::serialize(r)))
    return end(); // does not read what it asks for
  if (keep_alive_)
    link_->grant(1);
  else
    link_->close();
}

// -- event stream ---------------------------------------------------------------------------------

void console_session_state::become_stream(const api::call& what) {
  if (!link_->try_send(net::http::event_stream_head()))
    return end();
  event_tail_options options;
  options.connection = link_;
  options.event_book = services_->event_book;
  options.accounts = services_->accounts;
  options.bearer = what.bearer;
  options.device = what.of_device;
  options.severity_min = what.severity_min;
  tail_ = self_->spawn<caf::monitored>(event_tail, std::move(options));
  self_->send(root_, atom::adopt_v, stage::work, caf::actor_cast<caf::actor>(tail_));
  // With credit the link reads on, and so finds out when the peer has gone.
  link_->grant(1);
}

// -- end ------------------------------------------------------------------------------------------

void console_session_state::on_closed() {
  if (tail_)
    self_->send(tail_, atom::closed_v);
  self_->quit();
}

void console_session_state::on_tick() {
  if (tail_)
    return; // the stream looks after itself
  const auto quiet = busy_ ? std::chrono::nanoseconds{0} : self_->clock().now() - quiet_since_;
  if (quiet >= console_idle_max)
    return end();
  self_->delayed_send(self_, console_idle_max - quiet, atom::tick_v);
}

void console_session_state::end() {
  link_->close();
  if (tail_)
    self_->send(tail_, atom::closed_v);
  self_->quit();
}

std::string console_session_state::status() const {
  return address_ + ", " + std::to_string(requests_) + " requests"
         + (tail_ ? ", streaming events" : "");
}

console_session_actor::behavior_type
console_session(console_session_actor::stateful_pointer<console_session_state> self,
                net::accepted_ptr connection, console_services_ptr services,
                server_root_actor root) {
  return self->state.make_behavior(std::move(connection), std::move(services), std::move(root));
}

} // namespace muster::actors
