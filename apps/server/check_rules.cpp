#include "apps/server/check_rules.hpp"

#include "apps/common/exit_codes.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <utility>

namespace muster::server {

namespace {

constexpr std::int64_t day_s = 24 * 3600;
constexpr std::uint64_t megabyte = 1024 * 1024;

constexpr std::array verdict_names{std::string_view{"ok"}, std::string_view{"warning"},
                                   std::string_view{"failed"}};

std::string_view name_of(verdict how) {
  return verdict_names[static_cast<std::size_t>(how)];
}

std::uint64_t count(const findings& all, verdict how) {
  return static_cast<std::uint64_t>(
    std::count_if(all.begin(), all.end(), [how](const auto& one) { return one.how == how; }));
}

std::string octal(std::uint32_t mode) {
  std::string out = "0000";
  for (std::size_t i = out.size(); i-- > 0; mode >>= 3U)
    out[i] = static_cast<char>('0' + (mode & 7U));
  return out;
}

double figure(const server_report& report, const char* name) {
  const auto found = report.figures.find(name);
  return found == report.figures.end() ? 0 : found->second;
}

std::string whole(double value) {
  return std::to_string(static_cast<std::uint64_t>(std::max(value, 0.0)));
}

/// At least so much, or a warning with the command that mends it.
finding at_least(const char* name, std::optional<std::uint64_t> value, std::uint64_t wanted,
                 const std::string& why) {
  if (!value)
    return {verdict::ok, name, "this kernel has no such thing"};
  if (*value >= wanted)
    return {verdict::ok, name, std::to_string(*value)};
  return {verdict::warning, name,
          std::to_string(*value) + ": " + why + "; run: sysctl -w " + name + "=" +
            std::to_string(wanted) + " (and set it in /etc/sysctl.d)"};
}

} // namespace

finding judge_directory(const directory_facts& of) {
  const auto says = [&](verdict how, std::string text) {
    return finding{how, "data directory", of.path + std::move(text)};
  };
  if (of.ec)
    return says(verdict::failed,
                ": cannot be looked at: " + of.ec.message() + "; try again as root");
  if (!of.there)
    return says(verdict::ok, ": is not there yet; the first start makes it");
  if (!of.is_directory)
    return says(verdict::failed, ": is no directory; set 'data' or move it away");
  if (of.owner_differs)
    return says(verdict::failed, ": belongs to " + of.owner +
                                   ", and not all that is in it; run: chown -R " + of.owner + ": " +
                                   of.path);
  if ((of.mode & 0700U) != 0700U)
    return says(verdict::failed,
                ": its owner " + of.owner + " may not use it; run: chmod 700 " + of.path);
  if ((of.mode & 0077U) != 0)
    return says(verdict::warning, ": others may look into it (mode " + octal(of.mode) +
                                    "); run: chmod 700 " + of.path);
  return says(verdict::ok, ", of user " + of.owner);
}

finding judge_identity(const identity_facts& of) {
  if (!of.problem.empty())
    return {verdict::failed, "identity", of.problem};
  if (of.there)
    return {verdict::ok, "identity", of.directory + ", whole"};
  if (of.store_there)
    return {verdict::failed, "identity",
            of.directory +
              ": is not there, though this server has run before; restore it from a backup or by "
              "`muster-server identity import`: with a new one every agent must enrol anew"};
  return {verdict::ok, "identity", of.directory + ": is not there yet; the first start makes it"};
}

finding judge_certificate(const certificate_facts& of, std::int64_t now_s) {
  const char* const what = of.is_authority ? "CA certificate" : "server certificate";
  const auto left_days = (of.not_after_s - now_s) / day_s;
  const auto life = of.not_after_s - of.not_before_s;
  if (now_s < of.not_before_s)
    return {verdict::failed, what, "is not valid yet; set the clock"};
  if (of.is_authority) {
    if (now_s > of.not_after_s)
      return {verdict::failed, what,
              "has expired, unless the clock is wrong; agents trust no longer"};
    return {left_days < 365 ? verdict::warning : verdict::ok, what,
            "valid for " + std::to_string(left_days) + " days" +
              (left_days < 365 ? "; plan the change to a new one" : "")};
  }
  if (!of.server_runs && now_s - of.not_before_s >= life / 3 * 2)
    return {verdict::ok, what, "is due; the next start replaces it"};
  if (now_s > of.not_after_s)
    return {verdict::failed, what,
            "has expired; restart the server, and look into its log for why it was not renewed"};
  // The running server looks every hour.
  if (now_s - of.not_before_s >= life / 3 * 2 + day_s)
    return {verdict::warning, what,
            "valid for " + std::to_string(left_days) +
              " days, and should have been renewed; look into the server's log"};
  return {verdict::ok, what, "valid for " + std::to_string(left_days) + " days"};
}

finding judge_port(const port_facts& of) {
  const std::string kind = of.datagrams ? "UDP" : "TCP";
  const finding good{verdict::ok,
                     of.port == 0 ? of.setting + " port"
                                  : of.setting + " port " + std::to_string(of.port),
                     {}};
  const auto says = [&](verdict how, std::string text) {
    auto out = good;
    out.how = how;
    out.text = std::move(text);
    return out;
  };
  if (of.held && *of.held != 0 && (of.port == 0 || *of.held == of.port))
    return says(verdict::ok,
                kind + " " + std::to_string(*of.held) + ", held by the running server");
  if (of.held)
    return says(verdict::failed, *of.held == 0
                                   ? "the running server does not listen there; look into its log"
                                   : "the running server listens on " + std::to_string(*of.held) +
                                       "; restart it for these settings");
  if (!of.taking)
    return says(verdict::ok, kind + ", free");
  if (of.taking == std::errc::permission_denied)
    return says(verdict::warning, of.address + ": " + of.taking.message() +
                                    "; try again as root. A server that is not root needs "
                                    "CAP_NET_BIND_SERVICE for it");
  return says(verdict::failed, of.address + ": " + of.taking.message() + "; stop who has it (ss -" +
                                 (of.datagrams ? "u" : "t") + "lp), or set " + of.setting +
                                 ".port or " + of.setting + ".address");
}

finding judge_descriptors(const descriptor_facts& of) {
  constexpr const char* what = "file descriptors";
  constexpr const char* remedy = "; raise LimitNOFILE in the service's unit";
  const auto limit = std::to_string(of.limit);
  if (of.limit < of.beside + of.connections_max)
    return {verdict::failed, what,
            limit + ", and agents.connections_max needs " +
              std::to_string(of.beside + of.connections_max) + remedy};
  const auto room = of.limit - of.beside;
  if (room < of.devices)
    return {verdict::warning, what,
            limit + ": room for " + std::to_string(room) + " connections, and there are " +
              std::to_string(of.devices) + " devices" + remedy};
  return {verdict::ok, what,
          limit + (of.of_running_server ? "" : ", started from here") + ": room for " +
            std::to_string(room) + " connections"};
}

finding judge_disk(std::uint64_t free_bytes, std::uint64_t reserve_bytes,
                   const std::string& directory) {
  const auto text = std::to_string(free_bytes / megabyte) + " MB free in " + directory;
  if (free_bytes < reserve_bytes)
    return {verdict::failed, "disk", text + ": nothing more is acknowledged; make room"};
  // As /healthz has it.
  if (free_bytes < 4 * reserve_bytes)
    return {verdict::warning, "disk",
            text + ", and below " + std::to_string(reserve_bytes / megabyte) +
              " nothing more is acknowledged; make room"};
  return {verdict::ok, "disk", text};
}

findings judge_kernel(const kernel_facts& of, const kernel_wants& wants) {
  findings out{
    at_least("net.core.somaxconn", of.somaxconn, wants.backlog,
             "a fleet that comes back together is turned away before the server sees it"),
    at_least("net.core.rmem_max", of.rmem_max, wants.datagram_buffer_bytes,
             "notices are lost when a whole office goes home at once"),
    at_least("fs.nr_open", of.nr_open, wants.descriptors,
             "the server cannot have the descriptors that its settings need")};
  if (of.conntrack_max)
    out.push_back(at_least("net.netfilter.nf_conntrack_max", of.conntrack_max, wants.descriptors,
                           "the firewall drops connections beyond it"));
  return out;
}

finding judge_clock(std::optional<bool> is_synchronised) {
  if (!is_synchronised)
    return {verdict::ok, "clock", "the kernel does not say whether anybody sets it"};
  if (*is_synchronised)
    return {verdict::ok, "clock", "synchronised"};
  return {verdict::warning, "clock",
          "nobody sets it: certificates and the times of events go by it; install chrony or enable "
          "systemd-timesyncd"};
}

namespace {

finding judge_store(const server_report& report) {
  if (figure(report, "muster_store_disk_full") != 0)
    return {verdict::failed, "store", "its disk is full and nothing is acknowledged; make room"};
  if (const auto failed = figure(report, "muster_store_failed_commits_total"); failed > 0)
    return {verdict::warning, "store",
            whole(failed) + " commits were refused since the start; look into the server's log"};
  return {verdict::ok, "store", whole(figure(report, "muster_store_commits_total")) + " commits"};
}

finding judge_wakes(const server_report& report) {
  const auto asked = figure(report, "muster_wakes_asked_total");
  const auto arrived = figure(report, "muster_wakes_arrived_total");
  const auto unanswered = figure(report, "muster_wakes_unanswered_total");
  const auto unsent = figure(report, "muster_wakes_datagrams_send_failed_total");
  const auto text = whole(arrived) + " of " + whole(asked) + " devices came when woken";
  if (unsent > 0 && unsent >= figure(report, "muster_wakes_datagrams_sent_total"))
    return {verdict::failed, "wakes",
            "none of " + whole(unsent) +
              " datagrams could be sent; let UDP out to the devices' port 15000, or mend "
              "wakes.address"};
  if (unsent > 0)
    return {verdict::warning, "wakes",
            text + ", and " + whole(unsent) +
              " datagrams could not be sent: no route, or forbidden"};
  if (unanswered > 0 && arrived == 0)
    return {verdict::warning, "wakes",
            text + "; does a firewall stop UDP to their port 15000? `muster-agent check` on one of "
                   "them tells"};
  return {verdict::ok, "wakes", text};
}

finding judge_notices(const server_report& report) {
  const auto lost = figure(report, "muster_notices_datagrams_dropped_kernel_total") +
                    figure(report, "muster_notices_datagrams_dropped_busy_total");
  const auto text = whole(figure(report, "muster_notices_taken_total")) + " taken";
  if (lost > 0)
    return {verdict::warning, "notices",
            text + ", " + whole(lost) + " dropped: too many at once; see net.core.rmem_max"};
  return {verdict::ok, "notices", text};
}

} // namespace

findings judge_server(const server_facts& of) {
  switch (of.how) {
  case asked::not_running:
    return {
      {verdict::ok, "server", of.problem + "; what only a running server can tell is left out"}};
  case asked::not_allowed:
    return {{verdict::warning, "server", of.problem + "; try again as root"}};
  case asked::failed:
    return {{verdict::failed, "server",
             of.problem + "; it hangs, or is about to end: look into its log"}};
  case asked::answered:
    break;
  }
  findings out;
  if (of.report.version == of.our_version)
    out.push_back({verdict::ok, "server", "alive, version " + of.report.version});
  else
    out.push_back({verdict::warning, "server",
                   "alive, version " + of.report.version + ", and " + of.our_version +
                     " is installed; restart it"});
  if (of.report.figures.empty()) {
    out.push_back(
      {verdict::failed, "figures", "it does not say how it is doing; look into its log"});
    return out;
  }
  out.push_back(judge_store(of.report));
  out.push_back(judge_wakes(of.report));
  out.push_back(judge_notices(of.report));
  if (const auto dropped = figure(of.report, "muster_log_lines_dropped_total"); dropped > 0)
    out.push_back(
      {verdict::warning, "log", whole(dropped) + " lines had no room; nobody reads its stderr"});
  return out;
}

int exit_code_of(const findings& all) {
  return count(all, verdict::failed) == 0 ? exit_fine : exit_failed;
}

std::string as_lines(const findings& all) {
  std::size_t width = 0;
  for (const auto& one : all)
    width = std::max(width, one.what.size());
  std::string out;
  for (const auto& one : all) {
    auto how = std::string{name_of(one.how)};
    how.resize(7, ' ');
    auto what = one.what;
    what.resize(width, ' ');
    out += how + "  " + what + "  " + one.text + "\n";
  }
  return out;
}

std::string as_json(const findings& all) {
  auto list = nlohmann::json::array();
  for (const auto& one : all)
    list.push_back({{"verdict", name_of(one.how)}, {"what", one.what}, {"text", one.text}});
  const nlohmann::json out{{"findings", std::move(list)},
                           {"failed", count(all, verdict::failed)},
                           {"warnings", count(all, verdict::warning)}};
  return out.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
}

} // namespace muster::server
