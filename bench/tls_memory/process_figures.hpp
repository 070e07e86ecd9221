#pragma once
// What the kernel says of another process: its memory and the CPU time it has used.

#include <muster/assert.hpp>

#include <sys/types.h>

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <string>

namespace muster::bench {

struct memory {
  double anonymous_kb = 0; ///< heap, stacks, written data: what sessions can make grow
  double private_kb = 0;   ///< not shared with anybody, files' pages included
  double resident_kb = 0;
};

[[nodiscard]] inline memory memory_of(pid_t process) {
  std::ifstream in("/proc/" + std::to_string(process) + "/smaps_rollup");
  memory out;
  std::string word;
  double kilobytes = 0;
  std::getline(in, word); // the range of addresses
  for (std::string unit; in >> word >> kilobytes >> unit;) {
    if (word == "Rss:")
      out.resident_kb = kilobytes;
    else if (word == "Anonymous:")
      out.anonymous_kb = kilobytes;
    else if (word == "Private_Clean:" || word == "Private_Dirty:")
      out.private_kb += kilobytes;
  }
  MUSTER_ASSERT(out.resident_kb > 0, "the process lives, and we may look at it");
  return out;
}

/// All its threads that still live.
[[nodiscard]] inline double cpu_seconds_of(pid_t process) {
  double nanoseconds = 0;
  const std::filesystem::path tasks = "/proc/" + std::to_string(process) + "/task";
  for (const auto& task : std::filesystem::directory_iterator(tasks)) {
    double on_cpu = 0;
    std::ifstream(task.path() / "schedstat") >> on_cpu;
    nanoseconds += on_cpu;
  }
  return nanoseconds / 1e9;
}

} // namespace muster::bench
