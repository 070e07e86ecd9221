#include "actors/agent/probe/facts.hpp"

#include "actors/agent/limits.hpp"
#include "actors/agent/probe/facts_text.hpp"
#include "actors/agent/probe/text.hpp"
#include "net/certificate.hpp"
#include "net/wire/agent.pb.h"

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sys/statvfs.h>
#include <sys/utsname.h>
#include <time.h>

#include <algorithm>
#include <set>
#include <tuple>
#include <vector>

namespace muster::actors::probe {

namespace {

constexpr std::size_t session_bytes_max = 16 * 1024;

struct network_address {
  std::string interface;
  std::string ip;
  std::string hardware;
};

std::string hardware_text(const sockaddr_ll& link) {
  std::string out;
  const std::size_t length = std::min<std::size_t>(link.sll_halen, sizeof link.sll_addr);
  for (std::size_t i = 0; i < length; ++i) {
    if (i > 0)
      out.push_back(':');
    out += net::to_hex({&link.sll_addr[i], 1});
  }
  return out;
}

std::string ip_text(const sockaddr& address) {
  char text[INET6_ADDRSTRLEN]{};
  if (address.sa_family == AF_INET) {
    const auto& v4 = reinterpret_cast<const sockaddr_in&>(address);
    ::inet_ntop(AF_INET, &v4.sin_addr, text, sizeof text);
  } else if (address.sa_family == AF_INET6) {
    const auto& v6 = reinterpret_cast<const sockaddr_in6&>(address);
    ::inet_ntop(AF_INET6, &v6.sin6_addr, text, sizeof text);
  }
  return text;
}

/// Every address but the loopback's. Privacy addresses come and go and count all the same.
std::vector<network_address> read_addresses() {
  std::vector<network_address> out;
  std::map<std::string, std::string> hardware;
  ifaddrs* all = nullptr;
  if (::getifaddrs(&all) != 0)
    return out;
  for (const auto* one = all; one != nullptr; one = one->ifa_next) {
    if (one->ifa_addr == nullptr || (one->ifa_flags & IFF_LOOPBACK) != 0)
      continue;
    if (one->ifa_addr->sa_family == AF_PACKET)
      hardware[one->ifa_name] = hardware_text(reinterpret_cast<const sockaddr_ll&>(*one->ifa_addr));
    else if (auto ip = ip_text(*one->ifa_addr); !ip.empty())
      out.push_back({clean(one->ifa_name), std::move(ip), {}});
  }
  ::freeifaddrs(all);
  for (auto& address : out)
    address.hardware = hardware[address.interface];
  std::sort(out.begin(), out.end(), [](const auto& a, const auto& b) {
    return std::tie(a.interface, a.ip) < std::tie(b.interface, b.ip);
  });
  out.resize(std::min(out.size(), actors::limits::addresses_max));
  return out;
}

std::string dmi(const std::filesystem::path& root, const char* field) {
  return clean(trim(read_file(root / "sys/class/dmi/id" / field)));
}

std::string link_target(const std::filesystem::path& path) {
  std::error_code ec;
  const auto target = std::filesystem::read_symlink(path, ec);
  return ec ? std::string{} : target.string();
}

/// Whoever starts a container tells it so, each in a way of its own.
std::string container_of(const std::filesystem::path& root) {
  auto container = std::string{trim(read_file(root / "run/systemd/container"))};
  if (container.empty())
    container = environment_value(read_file(root / "proc/1/environ"), "container");
  std::error_code ec;
  if (container.empty() && std::filesystem::exists(root / "run/.containerenv", ec))
    container = "podman";
  if (container.empty() && std::filesystem::exists(root / ".dockerenv", ec))
    container = "docker";
  return container;
}

/// By utmp and by logind; each knows some that the other does not.
std::set<std::string> logged_in(const std::filesystem::path& root) {
  std::set<std::string> out;
  for (auto& user : parse_utmp(read_file(root / "run/utmp")))
    out.insert(std::move(user));
  std::error_code ec;
  std::filesystem::directory_iterator sessions{root / "run/systemd/sessions", ec};
  for (; !ec && sessions != std::filesystem::directory_iterator{} && out.size() < users_max;
       sessions.increment(ec))
    if (auto user = parse_session(read_file(sessions->path(), session_bytes_max)); !user.empty())
      out.insert(std::move(user));
  return out;
}

void add_system(const std::filesystem::path& root, wire::device_facts& out) {
  auto release = read_file(root / "etc/os-release");
  if (release.empty())
    release = read_file(root / "usr/lib/os-release");
  const auto os = parse_os_release(release);
  out.set_os_id(os.id);
  out.set_os_name(os.name);
  out.set_os_version(os.version);
  out.set_machine_id(clean(trim(read_file(root / "etc/machine-id")), 64));
  out.set_time_zone(
    parse_time_zone(link_target(root / "etc/localtime"), read_file(root / "etc/timezone")));
}

void add_hardware(const std::filesystem::path& root, wire::device_facts& out) {
  const auto cpu = parse_cpuinfo(read_file(root / "proc/cpuinfo"));
  out.set_vendor(dmi(root, "sys_vendor"));
  out.set_product(dmi(root, "product_name"));
  if (out.product().empty()) // a board without firmware that could tell: ARM
    out.set_product(clean(trim(read_file(root / "proc/device-tree/model"))));
  out.set_cpu_model(cpu.model);
  out.set_cpus(cpu.cpus);
  out.set_memory_bytes(parse_meminfo(read_file(root / "proc/meminfo"), "MemTotal") * 1024);
  out.set_virtualization(
    virtualization_of(out.vendor() + " " + out.product(), cpu.hypervisor, container_of(root)));
}

/// The machine's, not ours: in a service whose unit protects the file system our own view of nearly
/// everything is read-only. Sizes are the same in both.
std::vector<mount> read_mounts(const std::filesystem::path& root) {
  const auto of_machine = read_file(root / "proc/1/mounts");
  return parse_mounts(of_machine.empty() ? read_file(root / "proc/self/mounts") : of_machine);
}

void add_disks(const std::filesystem::path& root, wire::device_facts& out) {
  auto mounts = read_mounts(root);
  std::sort(mounts.begin(), mounts.end(),
            [](const mount& a, const mount& b) { return a.where < b.where; });
  for (const auto& m : mounts) {
    auto& disk = *out.add_disks();
    disk.set_mount(m.where);
    disk.set_device(m.device);
    disk.set_file_system(m.file_system);
    struct statvfs about {};
    if (::statvfs(m.where.c_str(), &about) == 0)
      disk.set_size_bytes(about.f_blocks * about.f_frsize);
  }
}

} // namespace

wire::device_facts read_facts(const facts_options& options) {
  wire::device_facts out;
  utsname kernel{};
  if (::uname(&kernel) == 0) {
    out.set_host_name(clean(kernel.nodename));
    out.set_kernel(clean(kernel.release));
    out.set_architecture(clean(kernel.machine));
  }
  if (!options.name.empty())
    out.set_host_name(clean(options.name));
  add_system(options.root, out);
  add_hardware(options.root, out);
  add_disks(options.root, out);
  for (auto& address : read_addresses()) {
    auto& item = *out.add_addresses();
    item.set_interface(std::move(address.interface));
    item.set_ip(std::move(address.ip));
    item.set_hardware(std::move(address.hardware));
  }
  for (const auto& user : logged_in(options.root))
    if (out.users_size() < actors::limits::users_max)
      out.add_users(user);
  return out;
}

std::vector<disk_space> read_disks(const std::filesystem::path& root) {
  std::vector<disk_space> out;
  for (auto& m : read_mounts(root)) {
    struct statvfs about {};
    if (m.read_only || ::statvfs(m.where.c_str(), &about) != 0 || about.f_blocks == 0)
      continue; // a DVD is always full, and nobody minds
    const auto used = about.f_blocks - about.f_bfree;
    const auto usable = used + about.f_bavail;
    out.push_back({std::move(m.where), about.f_blocks * about.f_frsize,
                   about.f_bavail * about.f_frsize,
                   usable == 0 ? 100U : static_cast<std::uint32_t>(used * 100 / usable)});
  }
  return out;
}

device_statistics read_statistics(const std::filesystem::path& root) {
  device_statistics out;
  out.uptime_s = parse_uptime(read_file(root / "proc/uptime"));
  out.load_milli = parse_loadavg(read_file(root / "proc/loadavg"));
  out.memory_available_kb = parse_meminfo(read_file(root / "proc/meminfo"), "MemAvailable");
  bool first = true;
  for (const auto& disk : read_disks(root)) {
    if (!first && disk.used_percent <= out.disk_used_percent)
      continue;
    first = false;
    out.disk_used_percent = disk.used_percent;
    out.disk_free_mb = disk.free_bytes / (1024 * 1024);
  }
  return out;
}

std::chrono::milliseconds time_slept() {
  timespec awake{};
  timespec all{};
  // In this order: what passes in between must not look like sleep that is taken back.
  ::clock_gettime(CLOCK_MONOTONIC, &awake);
  ::clock_gettime(CLOCK_BOOTTIME, &all);
  const auto seconds = std::chrono::seconds{all.tv_sec - awake.tv_sec};
  return std::chrono::duration_cast<std::chrono::milliseconds>(
    seconds + std::chrono::nanoseconds{all.tv_nsec - awake.tv_nsec});
}

boot_id read_boot_id(const std::filesystem::path& root) {
  auto text = read_file(root / "proc/sys/kernel/random/boot_id", 64);
  std::erase(text, '-');
  return boot_id::from_text(trim(text)).value_or(boot_id{});
}

machine_fingerprint read_fingerprint(const std::filesystem::path& root) {
  std::string machine{trim(read_file(root / "etc/machine-id", 64))};
  if (utsname kernel{}; machine.empty() && ::uname(&kernel) == 0)
    machine = kernel.nodename;
  const auto digest = net::sha256("muster machine fingerprint v1\n" + machine);
  machine_fingerprint out;
  std::copy_n(digest.begin(), out.bytes.size(), out.bytes.begin());
  return out;
}

} // namespace muster::actors::probe
