#include "actors/agent/probe/facts_text.hpp"

#include "actors/agent/probe/text.hpp"

#include <utmp.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <set>
#include <utility>

namespace muster::actors::probe {

namespace {

constexpr auto boot_time_max = std::int64_t{1} << 40; // what is later is no time

std::string unquoted(std::string_view value) {
  value = trim(value);
  if (value.size() >= 2 && (value.front() == '"' || value.front() == '\'') &&
      value.back() == value.front())
    value = value.substr(1, value.size() - 2);
  std::string out;
  for (std::size_t i = 0; i < value.size(); ++i) {
    if (value[i] == '\\' && i + 1 < value.size())
      ++i;
    out.push_back(value[i]);
  }
  return clean(out);
}

/// /proc writes blanks in names as \040.
std::string unescaped(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto digit = [&](std::size_t at) { return text[at] >= '0' && text[at] <= '7'; };
    if (text[i] == '\\' && i + 3 < text.size() && digit(i + 1) && digit(i + 2) && digit(i + 3)) {
      const int code = (text[i + 1] - '0') * 64 + (text[i + 2] - '0') * 8 + (text[i + 3] - '0');
      out.push_back(static_cast<char>(code));
      i += 3;
    } else {
      out.push_back(text[i]);
    }
  }
  return clean(out);
}

bool contains(std::string_view text, std::string_view word) {
  return text.find(word) != std::string_view::npos;
}

} // namespace

os_release parse_os_release(std::string_view text) {
  os_release out;
  std::string_view line;
  while (take_line(text, line)) {
    const auto equals = line.find('=');
    if (equals == std::string_view::npos)
      continue;
    const auto key = trim(line.substr(0, equals));
    if (key == "ID")
      out.id = unquoted(line.substr(equals + 1));
    else if (key == "PRETTY_NAME")
      out.name = unquoted(line.substr(equals + 1));
    else if (key == "VERSION_ID")
      out.version = unquoted(line.substr(equals + 1));
  }
  return out;
}

processor parse_cpuinfo(std::string_view text) {
  processor out;
  std::string_view line;
  while (take_line(text, line)) {
    const auto colon = line.find(':');
    if (colon == std::string_view::npos)
      continue;
    const auto key = trim(line.substr(0, colon));
    const auto value = trim(line.substr(colon + 1));
    if (key == "processor")
      ++out.cpus;
    else if (key == "model name" && out.model.empty())
      out.model = clean(value);
    else if (key == "flags")
      out.hypervisor = out.hypervisor || contains(value, "hypervisor");
  }
  return out;
}

std::uint64_t parse_meminfo(std::string_view text, std::string_view key) {
  std::string_view line;
  while (take_line(text, line))
    if (line.starts_with(key) && line.substr(key.size()).starts_with(':'))
      return number<std::uint64_t>(trim(line.substr(key.size() + 1))).value_or(0);
  return 0;
}

std::vector<mount> parse_mounts(std::string_view text) {
  std::vector<mount> out;
  std::set<std::string> seen;
  std::string_view line;
  while (take_line(text, line) && out.size() < mounts_max) {
    mount m;
    m.device = unescaped(take_word(line));
    m.where = unescaped(take_word(line));
    m.file_system = unescaped(take_word(line));
    const auto options = take_word(line);
    m.read_only = options == "ro" || options.starts_with("ro,");
    const bool on_a_disk = m.device.starts_with("/dev/") && !m.device.starts_with("/dev/loop") &&
                           m.file_system != "squashfs";
    const bool root = m.where == "/" && m.file_system != "rootfs"; // rootfs lies under the real one
    if ((on_a_disk || root) && !m.file_system.empty() && seen.insert(m.device).second)
      out.push_back(std::move(m));
  }
  return out;
}

std::uint64_t parse_uptime(std::string_view text) {
  return number<std::uint64_t>(trim(text)).value_or(0);
}

std::uint32_t parse_loadavg(std::string_view text) {
  auto load = number<double>(trim(text)).value_or(0);
  if (std::isnan(load)) // a number to from_chars
    load = 0;
  return static_cast<std::uint32_t>(std::lround(std::clamp(load, 0.0, 1e6) * 1000));
}

std::int64_t parse_boot_time(std::string_view text) {
  std::string_view line;
  while (take_line(text, line))
    if (line.starts_with("btime "))
      return std::clamp<std::int64_t>(number<std::int64_t>(trim(line.substr(6))).value_or(0), 0,
                                      boot_time_max);
  return 0;
}

std::vector<std::string> parse_utmp(std::string_view bytes) {
  std::set<std::string> users;
  while (bytes.size() >= sizeof(utmp) && users.size() < users_max) {
    utmp entry{};
    std::memcpy(&entry, bytes.data(), sizeof entry);
    bytes.remove_prefix(sizeof entry);
    const std::string_view name{entry.ut_user, ::strnlen(entry.ut_user, sizeof entry.ut_user)};
    if (entry.ut_type == USER_PROCESS && !name.empty())
      users.insert(clean(name));
  }
  return {users.begin(), users.end()};
}

std::string parse_session(std::string_view text) {
  std::string user;
  bool somebody = false;
  bool closing = false;
  std::string_view line;
  while (take_line(text, line)) {
    if (line.starts_with("USER="))
      user = clean(line.substr(5));
    else if (line == "CLASS=user")
      somebody = true;
    else if (line == "STATE=closing")
      closing = true;
  }
  return somebody && !closing ? user : std::string{};
}

std::string_view environment_value(std::string_view environ, std::string_view name) {
  while (!environ.empty()) {
    const auto end = environ.find('\0');
    const auto entry = environ.substr(0, end);
    if (entry.starts_with(name) && entry.substr(name.size()).starts_with('='))
      return entry.substr(name.size() + 1);
    environ = end == std::string_view::npos ? std::string_view{} : environ.substr(end + 1);
  }
  return {};
}

std::string parse_time_zone(std::string_view link_target, std::string_view timezone) {
  constexpr std::string_view marker{"zoneinfo/"};
  if (const auto at = link_target.find(marker); at != std::string_view::npos)
    return clean(link_target.substr(at + marker.size()));
  return clean(trim(timezone.substr(0, timezone.find('\n'))));
}

std::string virtualization_of(std::string_view dmi, bool hypervisor_flag,
                              std::string_view container) {
  if (!trim(container).empty())
    return clean(trim(container));
  static constexpr std::array<std::pair<std::string_view, std::string_view>, 9> known{{
    {"KVM", "kvm"},
    {"VMware", "vmware"},
    {"VirtualBox", "virtualbox"},
    {"innotek", "virtualbox"},
    {"Microsoft Corporation Virtual", "hyperv"},
    {"Xen", "xen"},
    {"Amazon EC2", "amazon"},
    {"Google Compute", "google"},
    {"QEMU", "qemu"},
  }};
  for (const auto& [word, name] : known)
    if (contains(dmi, word))
      return std::string{name};
  return hypervisor_flag ? "virtual" : "none";
}

} // namespace muster::actors::probe
