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

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace muster::actors {

struct collector_options {
  machine_view view;
  event_spool_actor spool;
  /// Of the agent's own store, for what must be known after a restart: which applications have
  /// been announced, which alarms are on.
  store_writer_actor writer;
  store_reader_actor reader;
  std::string agent_version; ///< told in agent.started
  /// Between looks at services, disks and the clock.
  std::chrono::milliseconds period{std::chrono::seconds{30}};
  std::uint32_t disk_full_percent = 90; ///< from here on: disk.nearly_full
  std::uint32_t disk_hysteresis = 5;    ///< below by more than so many points: disk.ok
  std::chrono::milliseconds clock_jump_min{std::chrono::seconds{5}};
  std::size_t changes_max = 100; ///< more at once are told in one application.changed
  /// For agent.stopped to reach the disk.
  std::chrono::milliseconds stop_max{std::chrono::seconds{1}};
};

/// The events it raises; README.md has the table of their attributes.
namespace event_types {
inline constexpr const char* agent_started = "agent.started";
inline constexpr const char* agent_stopped = "agent.stopped";
inline constexpr const char* application_installed = "application.installed";
inline constexpr const char* application_removed = "application.removed";
inline constexpr const char* application_upgraded = "application.upgraded";
inline constexpr const char* application_changed = "application.changed"; ///< too many to name
inline constexpr const char* service_failed = "service.failed";
inline constexpr const char* service_recovered = "service.recovered";
inline constexpr const char* disk_nearly_full = "disk.nearly_full";
inline constexpr const char* disk_ok = "disk.ok";
inline constexpr const char* clock_jumped = "clock.jumped";
} // namespace event_types

/// Reads many files at once and may wait probe::units_time_max for the system bus: spawned detached
/// where programs are composed, plainly in tests. Stopped by exit_msg: first agent.stopped reaches
/// the disk, for at most `stop_max`; so the spool is stopped after it.
///
/// What it remembers moves on only when the events about it are on the disk: a crash in between
/// tells a change twice, never not at all. What the spool refuses is offered again at each tick.
/// Before the first list of applications nothing is announced as installed.
///
/// Bounds: one tick in flight; one announcement on its way of each kind (start, applications,
/// alarms, clock); the last snapshot and the announced list in memory.
class collector_state {
public:
  static inline const char* name = "collector";
  explicit collector_state(collector_actor::pointer self) : self_(self) {}

  collector_actor::behavior_type make_behavior(collector_options options);

private:
  using events = std::vector<std::shared_ptr<raised_event>>;
  /// Events on their way to the disk, and what follows when all are there.
  struct announcement {
    std::vector<raised_event_ptr> to_send;
    std::vector<raised_event_ptr> refused;
    std::size_t unanswered = 0;
    bool insist = true;
    std::function<void()> then;
  };
  using announcement_ptr = std::shared_ptr<announcement>;
  /// What is wrong: "service NAME", "disk MOUNT".
  using alarms = std::set<std::string>;

  // -- collector.cpp: when ------------------------------------------------------------------------
  void load();
  void on_loaded(const read_result& applications, const read_result& alarm_list);
  void on_tick();
  void arm_tick(std::chrono::milliseconds wait);
  void on_exit(const caf::exit_msg& why);
  void on_watch();
  [[nodiscard]] machine_snapshot_ptr look();
  [[nodiscard]] std::string announced_list() const;
  /// Has the events written, all together. What the spool refuses is offered again at each tick
  /// until it is on the disk, then `then` is called; or, without `insist`, it is called anyway.
  void tell(events what, std::function<void()> then, bool insist = true);
  void send(const announcement_ptr& what);
  void on_answered(const announcement_ptr& what);
  /// Keeps it for the next start. A failure is logged: the worst of it is an event told twice.
  void remember(const char* what, std::string record);
  [[nodiscard]] std::string status() const;

  // -- collector_changes.cpp: what ----------------------------------------------------------------
  void look_at_applications();
  void compare(const wire::applications& now);
  [[nodiscard]] events news_of(const rules::application_delta& delta) const;
  void look_at_alarms();
  void look_at_services(alarms& on, events& news) const;
  void look_at_disks(alarms& on, events& news) const;
  void look_at_clock();

  collector_actor::pointer self_;
  collector_options options_;
  bool loading_ = false;
  bool loaded_ = false; ///< what was remembered is known
  bool stopping_ = false;
  caf::error stop_reason_;
  caf::actor_clock::time_point stop_by_;

  machine_snapshot_ptr last_;            ///< stands in for what cannot be read just now
  std::optional<std::string> announced_; ///< record announced_applications; empty: no list yet
  bool announcing_ = false;
  bool compare_again_ = false; ///< something may have changed since the last comparison
  alarms alarms_;
  bool alarming_ = false;
  bool jumping_ = false;
  std::vector<announcement_ptr> refused_;       ///< for the next tick; at most one of each kind
  std::optional<std::int64_t> clock_offset_us_; ///< time of day minus time since boot
  std::uint64_t looks_ = 0;
  std::uint64_t told_ = 0;
};

collector_actor::behavior_type collector(collector_actor::stateful_pointer<collector_state> self,
                                         collector_options options);

} // namespace muster::actors
