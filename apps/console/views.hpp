#pragma once
// What the API answers, as text for people. Pure.

#include "actors/rules/settings_diff.hpp"
#include "apps/console/moments.hpp"
#include "apps/console/table.hpp"
#include "net/wire/admin.pb.h"

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace muster::console {

struct view {
  style look;
  moment_us now = 0;
  bool utc = false;

  /// "3 min ago", or exact with --utc.
  [[nodiscard]] std::string time(moment_us when) const;
  /// The time of day, or exact with --utc.
  [[nodiscard]] std::string clock(moment_us when) const;
  /// The time of this day, to the second and to the minute, or exact with --utc.
  [[nodiscard]] std::string day_time(moment_us when) const;
  [[nodiscard]] std::string day_minute(moment_us when) const;
  /// A heading above a table.
  [[nodiscard]] std::string heading(const std::string& text) const;
};

[[nodiscard]] tone tone_of_state(const std::string& device_state);
[[nodiscard]] tone tone_of_status(const std::string& status);
[[nodiscard]] tone tone_of_severity(const std::string& severity);

[[nodiscard]] std::string devices_text(const admin::device_list& list, const view& v);
[[nodiscard]] std::string device_text(const admin::device_detail& detail, const view& v);
[[nodiscard]] std::string deliveries_text(const admin::device_detail& detail, const view& v);
[[nodiscard]] std::string applications_text(const admin::device_applications& list, const view& v);
[[nodiscard]] std::string run_states_text(const admin::device_run_states& list, const view& v);

/// What was said of how many: "3 connected, 1 off".
[[nodiscard]] std::string counts_text(const std::map<std::string, std::uint64_t>& counts);

// -- calls (views_calls.cpp) ----------------------------------------------------------------------
/// How a call went with one device, as a sentence: "web-1: done at 17:02:11, after 84 ms, ...".
[[nodiscard]] std::string outcome_line(const admin::call_device& d, const view& v);
/// "Synced 980 of 1,000 devices; 12 queued, 8 failed." and so on.
[[nodiscard]] std::string call_summary(const admin::call& c);
/// How far it is, as a line no wider than the terminal.
[[nodiscard]] std::string call_progress_line(const admin::call& c, std::size_t width);
[[nodiscard]] std::string calls_text(const admin::call_list& list, const view& v);
[[nodiscard]] std::string call_text(const admin::call& c, const view& v);
[[nodiscard]] std::string call_rows_text(const admin::call& c, const view& v);

// -- groups, policies, rules, settings (views_order.cpp, views_settings.cpp) ------------------------
[[nodiscard]] std::string groups_text(const admin::group_list& list, const view& v);
/// `devices`: in it and below.
[[nodiscard]] std::string group_text(const admin::group_info& g, std::uint64_t devices,
                                     const view& v);
[[nodiscard]] std::string policies_text(const admin::policy_list& list, const view& v);
[[nodiscard]] std::string rules_text(const admin::rule_list& list, const view& v);
/// Who was moved by rules, or would be.
[[nodiscard]] std::string placements_text(const admin::placement_report& report, const view& v,
                                          bool dry_run);
/// What was done, or would be, with the values before and after; a sentence when there is nothing.
[[nodiscard]] std::string fleet_result_text(const admin::fleet_result& result, const view& v,
                                            bool dry_run);

/// A version, and what it changed.
struct version_changes {
  const admin::fleet_version* version = nullptr;
  bool is_first = false;
  std::vector<rules::settings_change> changes;
};
[[nodiscard]] std::string history_text(const std::vector<version_changes>& versions, const view& v,
                                       bool with_values);

[[nodiscard]] tone tone_of_settings(const std::string& state);
[[nodiscard]] std::string settings_states_text(const admin::device_settings& list, const view& v);
[[nodiscard]] std::string effective_text(const admin::effective_settings& what, const view& v);

/// "[######......] 50 %  5 of 10", no wider than the terminal.
[[nodiscard]] std::string progress_line(std::size_t done, std::size_t all, std::size_t width);

[[nodiscard]] std::string application_counts_text(const admin::application_list& list,
                                                  const view& v);
[[nodiscard]] std::string owners_text(const admin::application_owners& list, const view& v);

/// Oldest first, as logs are read, although the API has the newest first.
[[nodiscard]] std::string events_text(const admin::event_list& list, const view& v,
                                      bool with_device = true);
/// One event as a line of its own, in columns of fixed width.
[[nodiscard]] std::string event_line(const admin::event& e, const view& v);

[[nodiscard]] std::string tokens_text(const admin::token_list& list, const view& v);
/// What to do with a new token; `server` is HOST:PORT for agents.
[[nodiscard]] std::string new_token_text(const admin::token& t, const std::string& server,
                                         const view& v);
/// The command to type on a client.
[[nodiscard]] std::string enrol_command(const admin::token& t, const std::string& server);

[[nodiscard]] std::string audit_text(const admin::audit_list& list, const view& v);
[[nodiscard]] std::string server_text(const admin::server_status& status, const view& v);

} // namespace muster::console
