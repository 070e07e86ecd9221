#include "actors/server/process_figures.hpp"

#include <spdlog/fmt/fmt.h>

#include <sys/resource.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <system_error>

namespace muster::actors {

namespace {

std::uint64_t count_entries(const char* directory) {
  std::error_code ec;
  std::uint64_t out = 0;
  std::filesystem::directory_iterator at(directory, ec);
  for (; !ec && at != std::filesystem::directory_iterator{}; at.increment(ec))
    ++out;
  return out;
}

double seconds(const timeval& t) {
  return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) / 1e6;
}

} // namespace

process_figures measure_process() {
  process_figures out;
  std::uint64_t pages = 0;
  std::uint64_t resident_pages = 0;
  if (std::ifstream statm("/proc/self/statm"); statm >> pages >> resident_pages)
    out.resident_bytes = resident_pages * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
  rusage usage{};
  if (::getrusage(RUSAGE_SELF, &usage) == 0)
    out.cpu_seconds = seconds(usage.ru_utime) + seconds(usage.ru_stime);
  rlimit descriptors{};
  if (::getrlimit(RLIMIT_NOFILE, &descriptors) == 0)
    out.descriptors_max = descriptors.rlim_cur;
  out.open_descriptors = count_entries("/proc/self/fd");
  out.threads = count_entries("/proc/self/task");
  return out;
}

std::string exposition_of(const process_figures& figures, std::int64_t started_us) {
  std::string out;
  const auto line = [&](const char* name, const char* type, const char* help, const auto& value) {
    out += fmt::format("# HELP {0} {2}\n# TYPE {0} {1}\n{0} {3}\n", name, type, help, value);
  };
  line("process_cpu_seconds_total", "counter", "CPU time of this process.", figures.cpu_seconds);
  line("process_resident_memory_bytes", "gauge", "Resident memory.", figures.resident_bytes);
  line("process_open_fds", "gauge", "Open file descriptors.", figures.open_descriptors);
  line("process_max_fds", "gauge", "File descriptors this process may open.",
       figures.descriptors_max);
  line("process_threads", "gauge", "Threads.", figures.threads);
  line("process_start_time_seconds", "gauge", "When this server started, in seconds since 1970.",
       started_us / 1'000'000);
  return out;
}

} // namespace muster::actors
