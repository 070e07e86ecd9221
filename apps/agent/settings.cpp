#include "apps/agent/settings.hpp"

#include "apps/common/logging.hpp"
#include "net/tcp_connector.hpp"

namespace muster::agent {

using namespace std::chrono_literals;

void declare(config::table& table, agent_settings& s) {
  table.path("data", s.data_directory, "directory of identity and spool");
  table.path("socket", s.socket, "local socket for other programs; empty: agent.sock in the data directory");
  table.text(
    "server", s.server, "HOST or HOST:PORT, or empty",
    [](const std::string& text) { return text.empty() || net::parse_endpoint(text, 13000); },
    "where the server is; empty: where this device enrolled");
  table.choice("transport", s.transport, {"tls", "plain"},
               "plain: without encryption, readable on the way; never chosen by itself, and never for enrolment");
  table.port("plain_port", s.plain_port, "the server's port for transport plain", false);
  table.text("name", s.name, "shown instead of the host name; empty: the host name");
  table.duration("sync.period", s.sync_period, {0ms, 24h * 30},
                 "time between two syncs; 0s: as the server says");
  table.boolean("sync.keep", s.keep, "stay connected between syncs");
  table.address("wake.address", s.wake_address, "where the server's calls are heard; :: takes IPv4 too");
  table.port("wake.port", s.wake_port, "UDP port for the server's calls; 0: this device cannot be called");
  table.port("notice.port", s.notice_port, "the server's UDP port, told when this device goes away",
             false);
  table.duration("keep_alive", s.keep_alive, {0ms, 9h},
                 "an idle connection is asked for a sign of life after this time; 0s: never");
  table.size("spool.bytes_max", s.spool_bytes_max, {256 * 1024, std::uint64_t{1} << 32},
             "most that events may take on the disk while the server is away");
  table.boolean("settings.manage", s.manage,
                "let the server's policies manage applications of this machine, as its connectors say");
  table.path("settings.connectors", s.connectors,
             "directory of connector files; it and they must be writable by root alone");
  table.choice("log.level", s.log_level, logging::level_names(), "how much is logged");
}

} // namespace muster::agent
