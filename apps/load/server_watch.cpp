#include "apps/load/server_watch.hpp"

#include <unistd.h>

#include <charconv>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>
#include <string>
#include <utility>

namespace muster::load {

namespace {

std::string read(const std::filesystem::path& file) {
  std::ifstream in{file};
  return {std::istreambuf_iterator<char>{in}, {}};
}

/// Fields 14 and 15, behind the name, which may have anything in it but ends with the last ')'.
std::optional<double> cpu_of(std::int32_t pid) {
  const auto stat = read("/proc/" + std::to_string(pid) + "/stat");
  const auto name_end = stat.rfind(')');
  if (name_end == std::string::npos)
    return std::nullopt;
  std::istringstream rest{stat.substr(name_end + 1)};
  std::string skipped;
  for (int i = 3; i < 14; ++i)
    rest >> skipped;
  double user = 0;
  double system = 0;
  if (!(rest >> user >> system))
    return std::nullopt;
  return (user + system) / static_cast<double>(::sysconf(_SC_CLK_TCK));
}

} // namespace

std::optional<server_watch> server_watch::find() {
  std::optional<server_watch> out;
  std::error_code ec;
  for (const auto& entry : std::filesystem::directory_iterator("/proc", ec)) {
    const auto name = entry.path().filename().string();
    std::int32_t pid = 0;
    const auto [end, bad] = std::from_chars(name.data(), name.data() + name.size(), pid);
    if (bad != std::errc{} || end != name.data() + name.size() ||
        read(entry.path() / "comm") != "muster-server\n")
      continue;
    if (out)
      return std::nullopt;
    out.emplace(pid);
  }
  return out;
}

double server_watch::cpu_percent() {
  const auto now_us = std::chrono::duration_cast<std::chrono::microseconds>(
                        std::chrono::steady_clock::now().time_since_epoch())
                        .count();
  const auto cpu = cpu_of(pid_);
  if (!cpu)
    return 0;
  const auto before_us = std::exchange(looked_us_, now_us);
  const auto before = std::exchange(last_s_, *cpu);
  if (first_s_ < 0) {
    first_s_ = *cpu;
    return 0;
  }
  return 100e6 * (*cpu - before) / static_cast<double>(now_us - before_us);
}

std::uint64_t server_watch::memory_bytes() const {
  std::istringstream statm{read("/proc/" + std::to_string(pid_) + "/statm")};
  std::uint64_t total = 0;
  std::uint64_t resident = 0;
  statm >> total >> resident;
  return resident * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
}

} // namespace muster::load
