#pragma once
// The files of a Linux machine that tell what it is, read as text. Pure: every function takes a
// file's content, whole or cut anywhere, and answers what it could make out.

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace muster::actors::probe {

inline constexpr std::size_t mounts_max = 64;
inline constexpr std::size_t users_max = 256;

/// /etc/os-release.
struct os_release {
  std::string id;      ///< "debian"
  std::string name;    ///< "Debian GNU/Linux 12 (bookworm)"
  std::string version; ///< "12"
};
[[nodiscard]] os_release parse_os_release(std::string_view text);

/// /proc/cpuinfo.
struct processor {
  std::string model;
  std::uint32_t cpus = 0;
  bool hypervisor = false; ///< the flag a virtual machine's CPU shows
};
[[nodiscard]] processor parse_cpuinfo(std::string_view text);

/// A figure of /proc/meminfo in KB ("MemTotal"); 0 when it is not there.
[[nodiscard]] std::uint64_t parse_meminfo(std::string_view text, std::string_view key);

/// A process's mounts in /proc: what stands on a block device, each device once (the first mount counts); and
/// the root, whatever it stands on (in a container, an overlay).
struct mount {
  std::string device;
  std::string where;
  std::string file_system;
  bool read_only = false;
};
[[nodiscard]] std::vector<mount> parse_mounts(std::string_view text);

/// /proc/uptime, whole seconds.
[[nodiscard]] std::uint64_t parse_uptime(std::string_view text);

/// /proc/loadavg: one minute's load x 1000.
[[nodiscard]] std::uint32_t parse_loadavg(std::string_view text);

/// /proc/stat: when the machine booted, seconds since 1970; 0 when not told.
[[nodiscard]] std::int64_t parse_boot_time(std::string_view text);

/// /run/utmp (binary): who is logged in; sorted, each once.
[[nodiscard]] std::vector<std::string> parse_utmp(std::string_view bytes);

/// /run/systemd/sessions/ID: the user of a session that somebody is logged in by; empty for the
/// login screen's own, background ones and those about to close. Where utmp is no longer kept
/// (it ends in 2038), this is what is left.
[[nodiscard]] std::string parse_session(std::string_view text);

/// The value of a variable in /proc/PID/environ; empty when not set.
[[nodiscard]] std::string_view environment_value(std::string_view environ, std::string_view name);

/// "Europe/Berlin" from the target of /etc/localtime, else from /etc/timezone's content.
[[nodiscard]] std::string parse_time_zone(std::string_view link_target, std::string_view timezone);

/// What the machine runs in: "none", "kvm", "vmware" ... or a container's name. `dmi` is vendor and
/// product, `container` the content of /run/systemd/container or what marks one.
[[nodiscard]] std::string virtualization_of(std::string_view dmi, bool hypervisor_flag,
                                            std::string_view container);

} // namespace muster::actors::probe
