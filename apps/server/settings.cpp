#include "apps/server/settings.hpp"

#include "apps/common/logging.hpp"
#include "net/tcp_connector.hpp"

namespace muster::server {

using namespace std::chrono_literals;

namespace {

void declare_status(config::table& table, status_settings& s) {
  constexpr auto year = 24h * 365;
  table.duration("status.silent_warning", s.silent_warning, {0ms, year},
                 "a silent device is a warning after this time without contact; 0s: never");
  table.duration("status.silent_critical", s.silent_critical, {0ms, year},
                 "and critical after this; 0s: never");
  table.duration("status.restart_warning", s.restart_warning, {0ms, year},
                 "a device that said that it restarts should be back by then; 0s: whenever");
  table.number("status.disk_warning_percent", s.disk_warning_percent, {0, 100},
               "how full its fullest disk is for a warning; 0: never");
  table.number("status.disk_critical_percent", s.disk_critical_percent, {0, 100},
               "how full for critical; 0: never");
  table.number("status.services_warning", s.services_warning, {0, 10'000},
               "failed services for a warning; 0: never");
  table.number("status.services_critical", s.services_critical, {0, 10'000},
               "failed services for critical; 0: never");
  table.number("status.syncs_warning", s.syncs_warning, {0, 255},
               "syncs failed in a row for a warning; 0: never");
  table.number("status.syncs_critical", s.syncs_critical, {0, 255},
               "syncs failed in a row for critical; 0: never");
  table.duration("status.certificate_warning", s.certificate_warning, {0ms, year},
                 "what is left of its certificate for a warning; 0s: never");
  table.duration("status.certificate_critical", s.certificate_critical, {0ms, year},
                 "what is left of it for critical; 0s: never");
}

} // namespace

void declare(config::table& table, server_settings& s) {
  table.path("data", s.data_directory, "directory of everything the server keeps");
  table.path("identity", s.identity_directory,
             "directory of keys and certificates; empty: identity in the data directory");
  table.address("agents.address", s.agents_address, "where agents connect; :: takes IPv4 too");
  table.port("agents.port", s.agents_port, "TCP port for agents");
  table.number("agents.connections_max", s.agents_connections_max, {0, 16'000'000},
               "agents connected at once, to each port; 0: as many as file descriptors allow");
  table.number("agents.accepts_per_second_max", s.agents_accepts_per_second_max, {0, 1'000'000},
               "new connections in a second, to each port; 0: no bound");
  table.number("agents.events_per_second_max", s.agents_events_per_second_max, {0, 10'000'000},
               "events that one device may send in a second, on average; 0: no bound");
  table.number("agents.events_burst_max", s.agents_events_burst_max, {1'000, 100'000'000},
               "events that it may send at once after a rest");
  table.text(
    "agents.public_name", s.agents_public_name, "HOST or HOST:PORT, or empty",
    [](const std::string& text) { return text.empty() || net::parse_endpoint(text, 13000); },
    "how agents reach this server, for what 'muster token create' prints; empty: the host name");
  table.duration("agents.sync_period", s.sync_period, {1s, 24h * 30},
                 "time between two syncs of an agent");
  table.number("agents.sync_jitter_percent", s.sync_jitter_percent, {0, 100},
               "random spread of that time, to both sides");
  table.duration("agents.keep_alive", s.keep_alive, {0ms, 9h},
                 "an idle connection is asked for a sign of life after this time; 0s: never");
  declare_status(table, s.status);
  table.boolean("plain.enabled", s.plain_enabled,
                "let agents connect without encryption too: proved and unaltered, but readable by anybody");
  table.address("plain.address", s.plain_address,
                "where they connect; :: takes IPv4 too");
  table.port("plain.port", s.plain_port, "TCP port for them");
  table.address("notices.address", s.notices_address,
                "where devices say that they go; :: takes IPv4 too. With several addresses of this "
                "machine, the one that devices know");
  table.port("notices.port", s.notices_port, "UDP port for that; devices know it as notice.port");
  table.address("wakes.address", s.wakes_address, "where wakes to devices leave from");
  table.number("wakes.datagrams_per_second_max", s.wakes_per_second_max, {1, 100'000},
               "wakes sent in a second; more wait their turn");
  table.address("admin.address", s.admin_address, "where consoles connect; :: takes IPv4 too");
  table.port("admin.port", s.admin_port, "TCP port for consoles");
  table.path("admin.certificate", s.admin_certificate,
             "PEM file with a certificate chain of your own for consoles; empty: the server's own");
  table.path("admin.key", s.admin_key,
             "PEM file with its key; empty: it stands in the certificate's file");
  table.number("threads.io", s.io_threads, {0, 256}, "threads for agents' connections; 0: a core each");
  table.number("threads.readers", s.readers, {1, 64}, "threads that read the store");
  table.number("events.retention_days_info", s.retention_days[0], {1, 36'500}, "days info events are kept");
  table.number("events.retention_days_warning", s.retention_days[1], {1, 36'500}, "days warnings are kept");
  table.number("events.retention_days_critical", s.retention_days[2], {1, 36'500},
               "days critical events are kept");
  table.number("events.retention_days_failure", s.retention_days[3], {1, 36'500},
               "days failures are kept");
  table.size("events.bytes_max", s.events_bytes_max, {0, std::uint64_t{1} << 50},
             "most that events may take on the disk, oldest days go first; 0B: no bound");
  table.choice("log.level", s.log_level, logging::level_names(), "how much is logged");
}

} // namespace muster::server
