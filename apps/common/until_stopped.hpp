#pragma once
// How a program of actors lives and ends: a signal stops the root, and the root's end is the end.

#include "apps/common/service_manager.hpp"
#include "apps/common/signals.hpp"

#include <caf/actor.hpp>
#include <caf/actor_system.hpp>
#include <caf/error.hpp>
#include <caf/event_based_actor.hpp>
#include <caf/exit_reason.hpp>
#include <caf/scoped_actor.hpp>
#include <caf/send.hpp>

#include <functional>

namespace muster {

/// Whether a root ended because it was asked to.
[[nodiscard]] inline bool is_orderly(const caf::error& reason) {
  return !reason || reason == caf::exit_reason::user_shutdown;
}

namespace detail {

/// Ends the wait for a signal when the root has ended by itself.
inline caf::behavior watch_end(caf::event_based_actor* self, const caf::actor& root,
                               stop_signals* signals) {
  self->monitor(root);
  self->set_down_handler([self, signals](const caf::down_msg&) {
    signals->stop();
    self->quit();
  });
  return {[](caf::unit_t) {}};
}

} // namespace detail

/// Waits for the end of `root` and answers its reason. SIGTERM and SIGINT ask it to stop; a second
/// one ends the process at once, without any of the promises of an orderly stop. Tells the service
/// manager that we stop, or, when `starts_anew` then says so, that this process will be ready again.
/// Lets go of `root` as soon as it waits: who else holds it holds it up. From main's thread.
[[nodiscard]] inline caf::error until_stopped(caf::actor_system& system, caf::actor root,
                                              stop_signals& signals,
                                              const std::function<bool()>& starts_anew = {}) {
  caf::scoped_actor self{system};
  self->monitor(root);
  // Held until the end: an actor that nobody holds and nobody writes to is gone at once.
  const auto watch = system.spawn(detail::watch_end, root, &signals);
  static_cast<void>(signals.wait());
  if (starts_anew && starts_anew())
    service_manager::reloading();
  else
    service_manager::stopping();
  caf::anon_send_exit(root, caf::exit_reason::user_shutdown);
  caf::error reason;
  self->receive([&](const caf::down_msg& down) { reason = down.reason; });
  self->send_exit(watch, caf::exit_reason::user_shutdown);
  return reason;
}

} // namespace muster
