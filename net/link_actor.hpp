#pragma once
// From a link to its actor: what the io thread tells, as messages.

#include "actors/protocol.hpp"
#include "net/link.hpp"

#include <caf/send.hpp>

#include <memory>
#include <string>
#include <system_error>
#include <utility>

namespace muster::net {

/// Sends what a link tells to one actor, from the link's io thread and in the link's order. Holds
/// the actor until the link has ended, which it does at the latest when the actor's link_ptr goes.
template <class Handle>
class actor_sink final : public link_sink {
public:
  explicit actor_sink(Handle whom) : whom_(std::move(whom)) {}

  void on_message(std::string bytes) override {
    caf::anon_send(whom_, atom::frame_v, std::make_shared<const std::string>(std::move(bytes)));
  }

  void on_closed(std::error_code why) override { caf::anon_send(whom_, atom::closed_v, why); }

private:
  Handle whom_;
};

/// From now on `session` (a session, console session or the agent's connection) gets every message
/// as atom::frame and the end as atom::closed. Call once, before the first grant.
template <class Handle>
void attach_session(link& connection, Handle session) {
  connection.attach(std::make_unique<actor_sink<Handle>>(std::move(session)));
}

} // namespace muster::net
