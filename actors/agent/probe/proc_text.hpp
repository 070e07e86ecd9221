#pragma once
// What /proc tells of one process, read as text. Pure: every function takes a file's content, whole
// or cut anywhere, and answers what it could make out.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace muster::actors::probe {

inline constexpr std::size_t arguments_max = 64;

/// /proc/PID/stat. Empty when it is cut or is none.
struct process_stat {
  std::int64_t pid = 0;
  std::string name; ///< the kernel's, at most 15 bytes; may hold blanks and brackets
  char state = '?'; ///< 'R', 'S' ... 'Z'
  std::int64_t parent = 0;
  std::int64_t session = 0;      ///< the pid of its session's leader
  std::int64_t terminal = 0;     ///< 0: none
  bool kernel = false;           ///< a thread of the kernel
  std::uint64_t cpu_ticks = 0;   ///< in user and system mode
  std::uint64_t start_ticks = 0; ///< since boot
  std::uint64_t resident_pages = 0;
};
[[nodiscard]] std::optional<process_stat> parse_stat(std::string_view text);

/// /proc/PID/cmdline: the arguments, the program's own name first; at most arguments_max. A program
/// may have written anything there.
[[nodiscard]] std::vector<std::string_view> parse_cmdline(std::string_view text);

/// The file a process is known by: its executable; the script, when that is an interpreter and the
/// script is named by its full path; empty when neither is known. `link` is the target of
/// /proc/PID/exe, empty when it cannot be read.
[[nodiscard]] std::string program_file(std::string_view link,
                                       const std::vector<std::string_view>& arguments);

/// What people call it: the last part of its file's name, else the kernel's name.
[[nodiscard]] std::string program_name(std::string_view file, std::string_view kernel_name);

/// Rounded up to a power of two, so that a section does not change with every page; 0 stays 0.
[[nodiscard]] std::uint64_t memory_class_kb(std::uint64_t kb);

/// The share of one core, rounded down to 0, 1, 10, 100, 1000 ... permille.
[[nodiscard]] std::uint32_t cpu_class_permille(std::uint64_t cpu_ms, std::uint64_t alive_ms);

/// A control group's cgroup.procs: how many processes it names.
[[nodiscard]] std::uint32_t count_processes(std::string_view text);

} // namespace muster::actors::probe
