#include "apps/server/check_facts.hpp"

#include "apps/common/clock.hpp"
#include "apps/common/descriptors.hpp"
#include "apps/server/foundation.hpp"
#include "apps/server/owner_role.hpp"
#include "apps/server/port_probe.hpp"
#include "net/limits.hpp"
#include "net/tcp_listener.hpp"
#include "storage/rocks_store.hpp"

#include <muster/version.hpp>

#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/timex.h>

#include <cerrno>
#include <filesystem>
#include <fstream>
#include <utility>

namespace muster::server {

namespace {

namespace fs = std::filesystem;

/// Entries of the data directory whose owner is looked at.
constexpr int entries_max = 64;

std::error_code last_error() {
  return {errno, std::generic_category()};
}

/// Whether something in it belongs to another user than the directory itself.
bool has_strangers(const fs::path& directory, uid_t owner) {
  std::error_code ec;
  int looked_at = 0;
  for (fs::recursive_directory_iterator at{directory, ec}, end;
       !ec && at != end && looked_at < entries_max; at.increment(ec), ++looked_at) {
    struct stat found {};
    if (::lstat(at->path().c_str(), &found) == 0 && found.st_uid != owner)
      return true;
  }
  return false;
}

directory_facts look_at_directory(const fs::path& directory) {
  directory_facts out;
  out.path = directory.string();
  struct stat found {};
  if (::stat(directory.c_str(), &found) != 0) {
    if (errno != ENOENT)
      out.ec = last_error();
    return out;
  }
  out.there = true;
  out.is_directory = S_ISDIR(found.st_mode);
  out.mode = found.st_mode & 0777U;
  out.owner = name_of_user(found.st_uid);
  out.owner_differs = out.is_directory && has_strangers(directory, found.st_uid);
  return out;
}

findings look_at_identity(const server_settings& settings, bool server_runs, std::int64_t now_s) {
  std::error_code ec;
  identity_facts facts;
  facts.directory = settings.identity().string();
  facts.there = fs::exists(settings.identity(), ec) && !fs::is_empty(settings.identity(), ec);
  facts.store_there = fs::exists(settings.data_directory / "store", ec);
  if (!facts.there)
    return {judge_identity(facts)};
  owner_role owner{settings.data_directory};
  const auto seen = owner.assume(facts.problem)
                      ? net::look_at_server_identity(settings.identity(), facts.problem)
                      : std::nullopt;
  findings out{judge_identity(facts)};
  if (!seen)
    return out;
  out.push_back(judge_certificate(
    {seen->authority.not_before_s(), seen->authority.not_after_s(), true, server_runs}, now_s));
  if (seen->server)
    out.push_back(judge_certificate(
      {seen->server->not_before_s(), seen->server->not_after_s(), false, server_runs}, now_s));
  return out;
}

findings look_at_ports(const server_settings& settings, const server_facts& server) {
  findings out;
  port_probe probe;
  for (const auto& port : ports_wanted(settings)) {
    port_facts facts{port.setting, port.address, port.port, port.datagrams, {}, {}};
    if (server.how == asked::answered) {
      const auto held = server.report.ports.find(port.setting);
      facts.held = held == server.report.ports.end() ? std::uint16_t{0} : held->second;
    } else {
      facts.taking = probe.take(port);
    }
    out.push_back(judge_port(facts));
  }
  return out;
}

finding look_at_descriptors(const server_settings& settings, const server_facts& server) {
  descriptor_facts facts;
  facts.of_running_server = server.how == asked::answered;
  facts.limit = facts.of_running_server ? server.report.descriptors_max : raise_descriptor_limit();
  facts.beside = descriptors_beside;
  facts.connections_max = descriptors_wanted(settings) - descriptors_beside;
  if (const auto devices = server.report.figures.find("muster_devices");
      devices != server.report.figures.end())
    facts.devices = static_cast<std::uint64_t>(devices->second);
  return judge_descriptors(facts);
}

findings look_at_disk(const server_settings& settings) {
  auto directory = settings.data_directory;
  struct statvfs found {};
  while (::statvfs(directory.c_str(), &found) != 0) {
    if (directory.empty() || directory == directory.parent_path())
      return {};
    directory = directory.parent_path(); // the volume on which it will be
  }
  return {
    judge_disk(std::uint64_t{found.f_bavail} * found.f_frsize,
               storage::default_reserve_bytes({.directory = settings.data_directory / "store"}),
               settings.data_directory.string())};
}

std::optional<std::uint64_t> kernel_number(const char* file) {
  std::uint64_t value = 0;
  std::ifstream in(file);
  return in >> value ? std::optional{value} : std::nullopt;
}

findings look_at_kernel(const server_settings& settings) {
  return judge_kernel({kernel_number("/proc/sys/net/core/somaxconn"),
                       kernel_number("/proc/sys/net/core/rmem_max"),
                       kernel_number("/proc/sys/fs/nr_open"),
                       kernel_number("/proc/sys/net/netfilter/nf_conntrack_max")},
                      {static_cast<std::uint64_t>(net::backlog_max),
                       net::limits::datagram_buffer_bytes, descriptors_wanted(settings)});
}

std::optional<bool> clock_is_synchronised() {
  timex about{};
  const int state = ::adjtimex(&about);
  return state < 0 ? std::nullopt
                   : std::optional{state != TIME_ERROR && (about.status & STA_UNSYNC) == 0};
}

void append(findings& to, findings more) {
  for (auto& one : more)
    to.push_back(std::move(one));
}

} // namespace

findings check_server(const server_settings& settings) {
  server_facts server;
  server.our_version = version();
  server.now_us = now_us();
  server.how = ask_for_report(settings.data_directory, server.report, server.problem);
  findings out;
  append(out, judge_server(server));
  out.push_back(judge_directory(look_at_directory(settings.data_directory)));
  append(out, look_at_identity(settings, server.how == asked::answered, now_us() / 1'000'000));
  append(out, look_at_ports(settings, server));
  out.push_back(look_at_descriptors(settings, server));
  append(out, look_at_disk(settings));
  append(out, look_at_kernel(settings));
  out.push_back(judge_clock(clock_is_synchronised()));
  return out;
}

} // namespace muster::server
