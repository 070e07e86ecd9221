#pragma once
// Looks at the machine on behalf of the agent: answers what it is, and raises events on what
// changes.

#include "actors/agent/machine_view.hpp"
#include "actors/protocol.hpp"
#include "actors/rules/inventory.hpp"

#include <caf/actor_clock.hpp>
#include <caf/result.hpp>
#include <caf/stateful_actor.hpp>
#include <caf/typed_event_based_actor.hpp>
#include <caf/typed_response_promise.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>

namespace muster::actors {

struct collector_options {
  machine_view view;
  event_spool_actor spool;
  /// Of the agent's own store, for what the collector must know after a restart: which applications
  /// it has announced, which alarms are on.
  store_writer_actor writer;
  store_reader_actor reader;
  std::string agent_version; ///< told in agent.started
  std::chrono::milliseconds period{
    std::chrono::seconds{30}};          ///< between looks at services, disks, clock
  std::uint32_t disk_full_percent = 90; ///< from here on: disk.nearly_full
  std::uint32_t disk_hysteresis = 5;    ///< so many points below: disk.ok
  std::chrono::milliseconds clock_jump_min{std::chrono::seconds{5}};
  std::size_t changes_max = 100; ///< more at once become one application.changed
  std::chrono::milliseconds stop_max{
    std::chrono::seconds{1}}; ///< for agent.stopped to reach the disk
};

/// The events it raises; README.md has the table of their attributes.
namespace event_types {
inline constexpr const char* agent_started = "agent.started";
inline constexpr const char* agent_stopped = "agent.stopped";
inline constexpr const char* application_installed = "application.installed";
inline constexpr const char* application_removed = "application.removed";
inline constexpr const char* application_upgraded = "application.upgraded";
inline constexpr const char* applications_changed = "application.changed"; ///< too many to name
inline constexpr const char* service_failed = "service.failed";
inline constexpr const char* service_recovered = "service.recovered";
inline constexpr const char* disk_nearly_full = "disk.nearly_full";
inline constexpr const char* disk_ok = "disk.ok";
inline constexpr const char* clock_jumped = "clock.jumped";
} // namespace event_types

/// Reads many files at once and may wait up to units_time_max for the system bus: spawned detached
/// where programs are composed, plain in tests. Stops by exit_msg: agent.stopped first reaches the
/// spool's disk, for at most `stop_max`; so the spool must be stopped after it.
///
/// What it remembers moves on only when the events about it are on the disk: a crash in between
/// tells a change twice, never not at all. On the first start of all nothing is announced.
///
/// Bounds: one look at a time and one tick in flight; of the list of applications one serialized
/// copy each of what has been announced and of what was last seen.
class collector_state {
public:
  static inline const char* name = "collector";
  explicit collector_state(collector_actor::pointer self) : self_(self) {}

  collector_actor::behavior_type make_behavior(collector_options options);

private:
  using time_point = caf::actor_clock::time_point;

  // -- collector.cpp: when ------------------------------------------------------------------------
  void load();
  void on_loaded();
  void begin();
  void on_tick();
  void arm_tick();
  void on_stop(const caf::exit_msg& why);
  caf::result<machine_snapshot_ptr> on_collect();
  [[nodiscard]] machine_snapshot_ptr look();
  [[nodiscard]] std::string status() const;
  /// Writes the event; the next in line follows when it is on the disk.
  void raise(severity how, const char* type, std::string text,
             std::map<std::string, std::string> attributes);
  void raise_next();

  // -- collector_changes.cpp: what ----------------------------------------------------------------
  void look_at_applications();
  void compare_applications(const wire::applications& now);
  void announce(const rules::application_delta& delta);
  void look_at_services();
  void look_at_disks();
  void look_at_clock();
  void remember_applications();
  void remember_alarms();

  collector_actor::pointer self_;
  collector_options options_;
};

collector_actor::behavior_type collector(collector_actor::stateful_pointer<collector_state> self,
                                         collector_options options);

} // namespace muster::actors
