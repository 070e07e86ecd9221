#pragma once
// A world where nothing moves unless the test says so: one thread, virtual time. The fixture of
// every actor test.
//
// A test hosts actors, sends or asks, settles, and looks. It never waits for wall time, so it never
// sleeps and never flickers. Not for detached actors: those run on threads of their own; spawn the
// same behaviour without `detached` instead.

#include <doctest/doctest.h>

#include <caf/actor_addr.hpp>
#include <caf/actor_cast.hpp>
#include <caf/actor_registry.hpp>
#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>
#include <caf/atom.hpp>
#include <caf/event_based_actor.hpp>
#include <caf/exit_reason.hpp>
#include <caf/expected.hpp>
#include <caf/message_priority.hpp>
#include <caf/scheduler/test_coordinator.hpp>
#include <caf/scoped_actor.hpp>
#include <caf/send.hpp>
#include <caf/stateful_actor.hpp>
#include <caf/timespan.hpp>
#include <caf/typed_event_based_actor.hpp>

#include <chrono>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <type_traits>
#include <utility>
#include <vector>

namespace muster::test {

/// Owns an actor system on CAF's test scheduler. Use by one thread. Whatever fakes the actors hold
/// by pointer must outlive this object: make them members of a base in front of it, or locals of
/// the test declared before.
class actor_world {
public:
  /// Begins an hour after the clock's zero, so that nothing confuses "long ago" with "never".
  actor_world() { sched.clock().current_time += std::chrono::hours{1}; }

  /// Kills every actor it hosted or adopted. A failed check must not leave one behind:
  /// ~actor_system would wait for it for ever. Whoever is still there ends the test run, loudly.
  ~actor_world() {
    for (auto& resident : residents_)
      caf::anon_send_exit(resident, caf::exit_reason::kill);
    residents_.clear();
    settle();
    // Delayed messages hold their actors.
    while (sched.trigger_timeouts() > 0)
      settle();
    if (const auto left = sys.registry().running() - running_at_start_; left > 0) {
      std::fprintf(stderr, "actor_world: %zu actors outlive their test; host() or adopt() them\n",
                   left);
      std::abort();
    }
  }

  actor_world(const actor_world&) = delete;
  actor_world& operator=(const actor_world&) = delete;

  /// Spawns an actor that ends with the world, and lets it settle.
  template <class F, class... Args>
  auto host(F behavior, Args&&... args) {
    auto handle = sys.spawn(behavior, std::forward<Args>(args)...);
    adopt(handle);
    settle();
    return handle;
  }

  /// From now on this actor, spawned by someone else, ends with the world too.
  template <class Handle>
  void adopt(const Handle& handle) {
    residents_.push_back(caf::actor_cast<caf::actor>(handle));
  }

  /// Runs until nobody has anything to do; answers how many steps that took.
  std::size_t settle() {
    std::size_t steps = 0;
    while (sched.try_run_once())
      ++steps;
    return steps;
  }

  /// Lets this much time pass, and settles. Timers that a timer arms are served when due.
  std::size_t pass(caf::timespan duration) {
    sched.advance_time(duration);
    return settle();
  }

  /// Asks and settles. An error fails the test.
  template <class Result, class Handle, class... Args>
  Result ask(const Handle& whom, Args&&... args) {
    auto answer = try_ask<Result>(whom, std::forward<Args>(args)...);
    if (!answer)
      FAIL("asked, got an error: " << caf::to_string(answer.error()));
    return std::move(*answer);
  }

  /// Asks and settles. No answer at all fails the test.
  template <class Result, class Handle, class... Args>
  caf::expected<Result> try_ask(const Handle& whom, Args&&... args) {
    auto pending = self->request(whom, caf::infinite, std::forward<Args>(args)...);
    settle();
    return take<Result>(pending);
  }

  /// Sends a request and answers its handle, for tests that act between question and answer.
  /// Nothing runs yet. take() gets the answer.
  template <class Handle, class... Args>
  auto begin_ask(const Handle& whom, Args&&... args) {
    return self->request(whom, caf::infinite, std::forward<Args>(args)...);
  }

  /// The answer to a begin_ask() that must have come by now (call settle() first).
  template <class Result, class Pending>
  caf::expected<Result> take(Pending& pending) {
    if (!self->has_next_message())
      FAIL("asked, got no answer");
    caf::expected<Result> out{caf::error{}};
    pending.receive([&](Result& result) { out = std::move(result); },
                    [&](caf::error& why) { out = std::move(why); });
    return out;
  }

  /// Whether the actor still runs.
  template <class Handle>
  bool alive(const Handle& whom) {
    bool down = false;
    self->monitor(whom);
    settle();
    self->receive([&](caf::down_msg&) { down = true; },
                  caf::after(std::chrono::seconds{0}) >> [] {});
    if (!down)
      self->demonitor(caf::actor_cast<caf::actor_addr>(whom));
    return !down;
  }

  /// Asks an actor to stop behind everything it has in its mailbox, and settles.
  template <class Handle>
  void stop(const Handle& whom) {
    caf::anon_send(caf::actor_cast<caf::actor>(whom),
                   caf::exit_msg{caf::actor_addr{}, caf::exit_reason::user_shutdown});
    settle();
  }

private:
  static caf::actor_system_config& tuned(caf::actor_system_config& cfg) {
    cfg.set("scheduler.policy", caf::atom("testing"));
    return cfg;
  }

  caf::actor_system_config cfg_;

public:
  caf::actor_system sys{tuned(cfg_)};
  caf::scheduler::test_coordinator& sched =
    dynamic_cast<caf::scheduler::test_coordinator&>(sys.scheduler());
  /// The test itself, as an actor: sends, and receives what is sent to it.
  caf::scoped_actor self{sys, true};

private:
  const std::size_t running_at_start_ = sys.registry().running();
  std::vector<caf::actor> residents_;
};

} // namespace muster::test
