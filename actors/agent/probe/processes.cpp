#include "actors/agent/probe/processes.hpp"

#include "actors/agent/probe/facts_text.hpp"
#include "actors/agent/probe/proc_text.hpp"
#include "actors/agent/probe/text.hpp"
#include "net/wire/agent.pb.h"

#include <unistd.h>

#include <algorithm>
#include <limits>
#include <map>
#include <utility>

namespace muster::actors::probe {

namespace {

constexpr std::int64_t init = 1;
constexpr std::size_t stat_bytes_max = 4096;
constexpr std::size_t cmdline_bytes_max = 4096;

struct process {
  process_stat stat;
  std::string file; ///< what it is known by
  std::string name;
};

/// All processes of one program.
struct program {
  std::string file;
  bool service = false; ///< one of them is
  std::uint32_t processes = 0;
  std::uint64_t first_start_ticks = std::numeric_limits<std::uint64_t>::max();
  std::uint64_t cpu_ticks = 0;
  std::uint64_t resident_pages = 0;
};

/// Nobody sits at a terminal and waits for it, and it is no part of something that was just
/// started by hand or by another program: it leads its own session, or was left to init, or is
/// what a container was started for.
bool is_service(const process_stat& p) {
  return p.pid == init || p.session == p.pid || p.parent == init;
}

bool counts(const process_stat& p) {
  return !p.kernel && p.terminal == 0 && p.state != 'Z' && p.state != 'X';
}

void identify(const std::filesystem::path& directory, process& p) {
  std::error_code ec;
  const auto link = std::filesystem::read_symlink(directory / "exe", ec);
  const auto cmdline = read_file(directory / "cmdline", cmdline_bytes_max);
  p.file = program_file(ec ? std::string{} : link.string(), parse_cmdline(cmdline));
  p.name = program_name(p.file, p.stat.name);
}

std::vector<process> scan(const std::filesystem::path& proc) {
  std::vector<process> out;
  std::error_code ec;
  std::filesystem::directory_iterator entries{proc, ec};
  for (; !ec && entries != std::filesystem::directory_iterator{} && out.size() < processes_max;
       entries.increment(ec)) {
    const auto name = entries->path().filename().string();
    if (!number<std::int64_t>(name))
      continue;
    auto stat = parse_stat(read_file(entries->path() / "stat", stat_bytes_max));
    if (!stat || !counts(*stat))
      continue; // ended meanwhile, or nobody's business
    process p{.stat = std::move(*stat), .file = {}, .name = {}};
    identify(entries->path(), p);
    out.push_back(std::move(p));
  }
  return out;
}

std::map<std::string, program> by_program(const std::vector<process>& processes) {
  std::map<std::string, program> out;
  for (const auto& p : processes) {
    auto& into = out[p.name];
    if (into.file.empty() || (!p.file.empty() && p.file < into.file))
      into.file = p.file;
    into.service = into.service || is_service(p.stat);
    ++into.processes;
    into.first_start_ticks = std::min(into.first_start_ticks, p.stat.start_ticks);
    into.cpu_ticks += p.stat.cpu_ticks;
    into.resident_pages += p.stat.resident_pages;
  }
  return out;
}

} // namespace

bool read_processes(const processes_options& options, std::int64_t now_us, package_owners& owners,
                    wire::run_states& out) {
  out.Clear();
  const auto proc = options.root / "proc";
  const auto booted_s = parse_boot_time(read_file(proc / "stat"));
  const auto programs = by_program(scan(proc));
  if (booted_s == 0 || programs.empty())
    return false;
  const auto ticks = static_cast<std::uint64_t>(std::max(1L, ::sysconf(_SC_CLK_TCK)));
  const auto page_kb = static_cast<std::uint64_t>(std::max(1024L, ::sysconf(_SC_PAGESIZE))) / 1024;

  std::vector<std::string> files;
  for (const auto& [name, p] : programs)
    if (p.service)
      files.push_back(p.file);
  owners.learn(files);

  for (const auto& [name, p] : programs) {
    const auto since_s = booted_s + static_cast<std::int64_t>(p.first_start_ticks / ticks);
    const auto alive_s = now_us / 1'000'000 - since_s;
    if (!p.service || alive_s < options.young_s ||
        static_cast<std::size_t>(out.items_size()) >= programs_max)
      continue;
    auto& item = *out.add_items();
    item.set_name(name);
    item.set_kind(wire::run_kind_process);
    item.set_state("running");
    item.set_since_s(since_s);
    item.set_application(std::string{owners.owner_of(p.file)});
    item.set_processes(p.processes);
    item.set_memory_class_kb(memory_class_kb(p.resident_pages * page_kb));
    item.set_cpu_class_permille(
      cpu_class_permille(p.cpu_ticks * 1000 / ticks, static_cast<std::uint64_t>(alive_s) * 1000));
  }
  return true;
}

} // namespace muster::actors::probe
