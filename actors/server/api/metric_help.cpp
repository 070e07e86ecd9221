#include "actors/server/api/metric_help.hpp"

#include <algorithm>
#include <array>

namespace muster::actors::api {

namespace {

struct explained {
  std::string_view name; ///< a star stands for the name of a port
  std::string_view help;
};

constexpr auto table = std::to_array<explained>({
  {"muster_actors", "Actors that run, by stage of the server's stop."},
  {"muster_devices", "Devices of the fleet by state."},

  {"muster_*_connections_accepted_total", "Connections taken at the port."},
  {"muster_*_connections_refused_total", "Connections closed at once: the port was full."},
  {"muster_*_connections_open", "Connections that are open now."},
  {"muster_*_connections_broken_total", "Connections ended because bytes were not the peer's."},
  {"muster_*_connections_cut_total", "Connections that ended without a goodbye."},
  {"muster_*_handshakes_failed_total", "Handshakes that failed."},
  {"muster_*_handshakes_timed_out_total", "Handshakes that took too long."},
  {"muster_*_handshakes_resumed_total", "Handshakes that resumed an earlier session."},
  {"muster_*_received_bytes_total", "Bytes received at the port."},
  {"muster_*_sent_bytes_total", "Bytes sent from the port."},

  {"muster_*_datagrams_received_total", "Datagrams that came out of the socket."},
  {"muster_*_datagrams_refused_total", "Datagrams refused by size or by what they begin with."},
  {"muster_*_datagrams_dropped_busy_total", "Good datagrams dropped: too many were in work."},
  {"muster_*_datagrams_dropped_kernel_total", "Datagrams the kernel dropped: its buffer was full."},
  {"muster_*_datagrams_sent_total", "Datagrams sent."},
  {"muster_*_datagrams_send_failed_total", "Datagrams that could not be sent: no route, forbidden."},
  {"muster_*_datagrams_send_dropped_total", "Datagrams not sent: too many waited."},

  {"muster_wakes_asked_total", "Devices that were to be woken."},
  {"muster_wakes_arrived_total", "Devices that came when they were woken."},
  {"muster_wakes_unanswered_total", "Devices that did not come when they were woken."},
  {"muster_wakes_refused_total", "Wakes refused: too many at once, or no counter."},
  {"muster_wakes_sent_total", "Wake datagrams sent, repetitions included."},
  {"muster_wakes_in_flight", "Devices being woken now."},

  {"muster_fleet_revision", "Number of the last change of groups, policies, rules and tasks."},
  {"muster_fleet_groups", "Groups, the root and 'unassigned' included."},
  {"muster_fleet_policies", "Policies of all groups."},
  {"muster_fleet_rules", "Moving rules."},
  {"muster_fleet_tasks", "Tasks that are kept."},
  {"muster_fleet_spec_bytes", "Bytes of all policies, rules and tasks."},
  {"muster_fleet_own_devices", "Devices with settings of their own."},
  {"muster_fleet_own_bytes", "Bytes of the settings that single devices have for themselves."},
  {"muster_fleet_orders_total", "Changes of the fleet that were ordered."},
  {"muster_fleet_orders_refused_total", "Of these, those with problems, or that could not be stored."},
  {"muster_fleet_orders_waiting", "Changes of the fleet that wait for the one in work."},

  {"muster_store_commits_total", "Commits that reached the write-ahead log."},
  {"muster_store_syncs_total", "Syncs of the write-ahead log, each for one commit or several."},
  {"muster_store_failed_commits_total", "Commits that the disk refused, in whole or in part."},
  {"muster_store_last_room_commits_total", "Commits of what erases or is urgent on a full disk."},
  {"muster_store_commit_seconds_total", "Time spent in writing commits, without waiting for syncs."},
  {"muster_store_changes_total", "Changes that were committed."},
  {"muster_store_written_bytes_total", "Bytes of the changes that were committed."},
  {"muster_store_events_total", "Events that were given to a commit."},
  {"muster_store_appends_moved_total", "Batches of events refused because the position had moved."},
  {"muster_store_disk_full", "1 while the disk is full and nothing is acknowledged."},
  {"muster_store_free_bytes", "Bytes free on the store's volume."},
  {"muster_store_used_bytes", "Bytes the store takes."},

  {"muster_events_published_total", "Events stored since the start, by severity."},
  {"muster_events_raised_total", "Events of the server's own that were stored."},
  {"muster_events_raised_dropped_total", "Events of the server's own that were lost."},
  {"muster_events_raised_waiting", "Events of the server's own that wait for the disk."},
  {"muster_events_tails", "Live views of events."},
  {"muster_events_days_erased_total", "Days of events that retention has erased."},
  {"muster_events_kept_bytes", "Bytes of the events that are kept, as of the last look."},
  {"muster_events_retention_days_behind", "Days by which retention is behind a clock that jumped."},
  {"muster_event_batches_delayed_total", "Batches after which a device had to wait for its turn."},
  {"muster_event_batches_refused_total", "Batches of devices that did not wait for their turn."},
  {"muster_event_budgets", "Devices that have sent events in the last moments."},
  {"muster_log_lines_dropped_total", "Lines of the log for which nobody made room."},
});

/// The star stands for something, at least.
bool fits(std::string_view pattern, std::string_view name) noexcept {
  const auto star = pattern.find('*');
  if (star == std::string_view::npos)
    return pattern == name;
  const auto tail = pattern.substr(star + 1);
  return name.size() > star + tail.size() && name.starts_with(pattern.substr(0, star)) &&
         name.ends_with(tail);
}

} // namespace

std::string_view help_of(std::string_view name) noexcept {
  const auto found = std::find_if(table.begin(), table.end(), [name](const explained& one) {
    return fits(one.name, name);
  });
  return found == table.end() ? std::string_view{} : found->help;
}

} // namespace muster::actors::api
