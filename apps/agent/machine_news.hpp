#pragma once
// Hands what the machine is up to (it goes, it is back, its network has changed) to whichever
// connection lives just now.

#include "actors/protocol.hpp"

#include <caf/actor_system.hpp>
#include <caf/event_based_actor.hpp>
#include <caf/send.hpp>

#include <functional>
#include <mutex>
#include <utility>

namespace muster::agent {

/// Thread-safe. Let go of the connection (tell({})) before the actor system ends.
class machine_news {
public:
  explicit machine_news(caf::actor_system& system) : system_(system) {}

  void tell(actors::connection_actor whom) {
    const std::lock_guard lock{mutex_};
    connection_ = std::move(whom);
  }

  /// `done` is called when the server knows, or need not.
  void going(actors::off_reason why, std::function<void()> done) {
    const auto whom = present();
    if (!whom)
      return done();
    // Somebody has to take the answer; it lives for as long as that takes.
    system_.spawn([whom, why, done = std::move(done)](caf::event_based_actor* self) {
      self->request(whom, caf::infinite, atom::notice_v, why)
        .then([done](bool) { done(); }, [done](const caf::error&) { done(); });
    });
  }
  void staying() {
    going(actors::off_reason::none, [] {});
  }
  void network_changed() {
    if (const auto whom = present())
      caf::anon_send(whom, atom::contact_v);
  }

private:
  [[nodiscard]] actors::connection_actor present() {
    const std::lock_guard lock{mutex_};
    return connection_;
  }

  caf::actor_system& system_;
  std::mutex mutex_;
  actors::connection_actor connection_;
};

} // namespace muster::agent
