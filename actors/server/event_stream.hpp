#pragma once
// The events of one connection on their way to the disk.

#include "actors/protocol.hpp"
#include "actors/server/session_services.hpp"

#include <caf/actor_clock.hpp>
#include <caf/stateful_actor.hpp>
#include <caf/typed_event_based_actor.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace muster::actors {

struct event_stream_options {
  session_services_ptr services;
  net::link_ptr link;
  session_actor session;
  device_id device;
  std::string device_name;
};

/// Tells the agent the position of its device, appends its batches, acknowledges each when it is on
/// the disk. The position is compared where the commit is made (store_writer), so a stream keeps
/// none: two streams of one device cannot double anything.
///
/// Batches are appended as they come, without waiting for each other; the writer keeps their order.
/// When one finds the position moved, the agent is told once, and batches that were on their way by
/// then are dropped: it sends them again. One append takes at most what a frame holds; the credit
/// of a frame returns when its events are durable (or void). Nothing else is buffered.
///
/// A device that sends more than its budget allows (event_budgets) gets the credit back later, and
/// when it connects anew meanwhile, its position: its events are stored and acknowledged, but it
/// sends no faster than it may. One that does not care for credit is sent away for a while, with
/// what it has just sent neither stored nor acknowledged. Nothing is dropped: agents keep it.
///
/// Ends: with the session; when the session lets it go after 10 s without anything in flight; with
/// errc::invalid and a sentence when the agent breaks the rules; with the writer's error.
class event_stream_state {
public:
  static inline const char* name = "event_stream";

  explicit event_stream_state(event_stream_actor::pointer self) : self_(self) {}

  event_stream_actor::behavior_type make_behavior(event_stream_options options);

private:
  using time_point = caf::actor_clock::time_point;
  /// What is done later, because the device has sent more than its share.
  struct delayed {
    time_point due;
    bool opening = false; ///< tell the position; else: give back a frame's credit
  };

  void on_open();
  void tell_position();
  void on_events(const agent_message_ptr& message);
  void on_stored(const event_append_ptr& batch, const append_result& result);
  void on_moved(const event_position& position, std::uint32_t round);
  void on_tick();
  void work_off(time_point due);
  void work_off();
  void delay(const delayed& what);
  void do_what_is_due(time_point now);
  void tick_at(time_point when);
  void say(std::string message);
  [[nodiscard]] std::string status() const;

  event_stream_actor::pointer self_;
  event_stream_options options_;
  /// Told after a refused append; until a batch continues there, others are leftovers.
  std::optional<event_position> expected_;
  std::vector<delayed> delayed_; ///< at most frames_in_flight: each has its credit
  time_point active_at_;
  time_point next_tick_at_; ///< ticks before are left over from when nothing was so urgent
  std::uint32_t round_ = 0;     ///< grows each time the agent is told to go elsewhere
  std::uint32_t in_flight_ = 0; ///< messages whose credit is not yet returned
  std::uint32_t taken_ = 0;     ///< messages from the session
  std::uint64_t stored_ = 0;
};

/// Spawned and monitored by its session. Begin it with atom::open.
event_stream_actor::behavior_type
event_stream(event_stream_actor::stateful_pointer<event_stream_state> self,
             event_stream_options options);

} // namespace muster::actors
