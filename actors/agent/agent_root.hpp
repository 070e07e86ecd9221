#pragma once
// The root of the agent's actors: starts them, starts them again, stops them in order.

#include "actors/protocol.hpp"

#include <caf/actor_clock.hpp>
#include <caf/stateful_actor.hpp>
#include <caf/typed_event_based_actor.hpp>

#include <array>
#include <cstdint>
#include <deque>
#include <functional>
#include <string>

namespace muster::actors {

/// Who lives, in the order of their start; each may use those before it.
struct agent_children {
  store_writer_actor writer;
  store_reader_actor reader;
  event_spool_actor spool;
  collector_actor collector;
  settings_keeper_actor keeper; ///< null when there is none
  connection_actor connection;
  local_service_actor local; ///< null when there is no local socket
};

/// How the root makes its children; tests put fakes here. Called on the root's thread, again after
/// a death. Whoever keeps a handle outside (a package watch, say) takes the new one here.
struct agent_root_options {
  template <class Handle>
  using starter =
    std::function<Handle(agent_root_actor::pointer root, const agent_children& before)>;

  starter<store_writer_actor> start_writer;
  starter<store_reader_actor> start_reader;
  starter<event_spool_actor> start_spool;
  starter<collector_actor> start_collector;
  starter<settings_keeper_actor> start_keeper; ///< may be empty
  starter<connection_actor> start_connection;
  starter<local_service_actor> start_local; ///< may be empty
};

/// Owns the only long-lived strong handles. When a child dies, those started after it are stopped
/// (they hold its handle), then all of these are started again: at most
/// limits::agent_restarts_max deaths within limits::agent_restart_window, once more ends the agent
/// with the child's error. A writer that ends with storage::errc::sync_failed ends the agent at
/// once, with that as the root's exit reason: only a new process may trust the disk again.
///
/// Stopping it (exit_msg) stops in order: local service, settings keeper (with the command it waits
/// for), collector (whose last event must reach the spool), connection (which hands that event over, if the server is there), spool, reader, writer.
/// Each gets its time, then it is killed; the writer has half a minute. Ends with the reason it was
/// asked to stop with, or with the fatal error.
class agent_root_state {
public:
  static inline const char* name = "agent_root";
  explicit agent_root_state(agent_root_actor::pointer self) : self_(self) {}

  agent_root_actor::behavior_type make_behavior(agent_root_options options);

private:
  /// In the order of start.
  enum place : std::size_t { writer, reader, spool, collector, keeper, connection, local, places };
  /// The other way round, but for the two whose last events the connection takes along.
  static constexpr std::array<std::size_t, places> order_of_stop{
    local, keeper, collector, connection, spool, reader, writer};

  void start_from(std::size_t first);
  [[nodiscard]] caf::actor start(std::size_t which);
  void forget(std::size_t which);
  void on_down(const caf::down_msg& down);
  void on_death(std::size_t which, const caf::error& why);
  void begin_stop(caf::error why);
  void unwind(std::size_t first);
  void stop_next();
  void ask_to_stop(bool kill);
  void on_grace_over(std::uint32_t number);
  [[nodiscard]] std::string status() const;

  agent_root_actor::pointer self_;
  agent_root_options options_;
  agent_children children_;
  std::array<caf::actor, places> handles_;
  std::array<std::uint64_t, places> restarts_{};
  std::deque<caf::actor_clock::time_point> deaths_;
  bool ending_ = false;            ///< for good
  bool unwinding_ = false;         ///< stopping children, for good or to start them again
  std::size_t stop_down_to_ = places;
  std::size_t stopping_ = places;  ///< whose end is waited for
  std::size_t start_at_ = places;  ///< to be started from here on after a pause; places: nothing
  std::uint32_t grace_number_ = 0; ///< of the present wait; older ticks are void
  caf::error reason_;
};

agent_root_actor::behavior_type
agent_root(agent_root_actor::stateful_pointer<agent_root_state> self, agent_root_options options);

} // namespace muster::actors
