#pragma once
// What a task is: what to do, on which devices, when, and how carefully.

#include "actors/rules/connector.hpp"
#include "actors/rules/node_reader.hpp"
#include "actors/rules/rollout.hpp"
#include "actors/rules/schedule.hpp"
#include "actors/rules/schedule_due.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace muster::rules {

enum class task_kind : std::uint8_t {
  command, ///< run a program with arguments
  script,  ///< run a text that begins with #!
  install, ///< packages, through the package manager; remove and upgrade likewise
  remove,
  upgrade, ///< without packages: all
  refresh, ///< look at the inventory again
  collect, ///< send a file to the server
  place,   ///< put a file onto the device
  restart, ///< a service
};
inline constexpr std::size_t task_kinds = 9;

namespace task_limits {
inline constexpr std::size_t arguments_max = 256;
inline constexpr std::size_t text_bytes_max = 4'096; ///< an argument, a path, a variable
inline constexpr std::size_t script_bytes_max = 64 * 1024;
inline constexpr std::size_t variables_max = 64;
inline constexpr std::size_t packages_max = 256;
inline constexpr std::size_t devices_max = 10'000;
inline constexpr std::int64_t output_bytes_max = 1024 * 1024;
inline constexpr std::chrono::hours time_limit_max{24};
} // namespace task_limits

struct task_action {
  task_kind kind = task_kind::command;
  command_line argv;                 ///< command; the program is an absolute path
  std::string script;                ///< script
  std::vector<std::string> packages; ///< install, remove, upgrade
  std::string path;                  ///< collect, place: an absolute one
  std::string sha256;                ///< place: of the content, which was uploaded; 64 hex digits
  std::string mode = "0644";         ///< place
  std::string service;               ///< restart
  std::string user = "root";         ///< command, script
  std::string directory = "/";       ///< command, script
  std::map<std::string, std::string> environment; ///< command, script; nothing else but PATH is set
  std::chrono::seconds time_limit{600};           ///< then it is ended: `timed out`
  std::int64_t output_bytes = 64 * 1024;          ///< so much of its output is kept

  friend bool operator==(const task_action&, const task_action&) = default;
};

struct task_spec {
  std::string target;               ///< a target expression; empty when devices are listed
  std::vector<std::string> devices; ///< names or ids
  task_action action;
  schedule when;
  std::string zone; ///< empty: the device's own
  schedule_options options;
  rollout_plan rollout;
  bool enabled = true;

  friend bool operator==(const task_spec&, const task_spec&) = default;
};

/// From the `spec` of a document; what is wrong is added to `problems`.
///
///     target: group:eu os:debian         # or devices: [web-1, web-2]
///     action:
///       command: [/usr/bin/apt-get, update]   # or script, install, remove, upgrade, refresh:
///       true,
///                                             # collect: PATH, place: {path, sha256, mode},
///                                             restart: UNIT
///       user: root                            # of command and script, as are directory,
///       environment timeLimit: 10m outputMax: 64KB
///     schedule: daily at 03:00
///     zone: Europe/Berlin                # without: each device's own
///     spread: 30m
///     runIfMissed: true
///     waves: [5, 25, 100]
///     enoughPercent: 80
///     failedPercentMax: 10
///     enabled: true
[[nodiscard]] task_spec task_from_node(const yaml_node& spec, std::vector<text_problem>& problems);

/// The same again, without what is as it would be anyway. task_from_node(node_of(x)) gives it back.
[[nodiscard]] settings_document task_document(const task_spec& task);

[[nodiscard]] std::string_view name_of(task_kind kind) noexcept;

} // namespace muster::rules
