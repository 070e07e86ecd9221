#pragma once
// The server's settings: its TOML file, overridden by flags.

#include "apps/common/settings_table.hpp"

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <string>

namespace muster::server {

/// From where on a condition makes a device's status. 0: it never does.
struct status_settings {
  std::chrono::milliseconds silent_warning{std::chrono::hours{24}};
  std::chrono::milliseconds silent_critical{std::chrono::hours{24 * 7}};
  std::chrono::milliseconds restart_warning{std::chrono::hours{1}};
  std::uint64_t disk_warning_percent = 90;
  std::uint64_t disk_critical_percent = 95;
  std::uint64_t services_warning = 1;
  std::uint64_t services_critical = 0;
  std::uint64_t syncs_warning = 3;
  std::uint64_t syncs_critical = 10;
  std::chrono::milliseconds certificate_warning{std::chrono::hours{24 * 30}};
  std::chrono::milliseconds certificate_critical{std::chrono::hours{24 * 7}};
};

struct server_settings {
  std::filesystem::path data_directory = "/var/lib/muster/server";
  std::filesystem::path identity_directory;          ///< empty: "identity" in the data directory
  std::string agents_address = "::";
  std::uint16_t agents_port = 13000;
  std::uint64_t agents_connections_max = 0;          ///< 0: as many as descriptors allow
  std::uint64_t agents_accepts_per_second_max = 5000; ///< 0: no bound
  std::uint64_t agents_events_per_second_max = 1'000; ///< of one device; 0: no bound
  std::uint64_t agents_events_burst_max = 20'000;
  std::string agents_public_name;                    ///< HOST[:PORT] for `muster token create`
  std::chrono::milliseconds sync_period{std::chrono::minutes{15}};
  std::uint64_t sync_jitter_percent = 10;
  std::chrono::milliseconds keep_alive{std::chrono::minutes{1}}; ///< 0: never asked
  status_settings status;
  bool plain_enabled = false;
  std::string plain_address = "::";
  std::uint16_t plain_port = 14000;
  std::string notices_address = "::";
  std::uint16_t notices_port = 13000;                ///< UDP
  std::string wakes_address = "::";                  ///< UDP, out
  std::uint64_t wakes_per_second_max = 2000;         ///< datagrams
  std::string admin_address = "::";
  std::uint16_t admin_port = 13299;
  std::filesystem::path admin_certificate;           ///< PEM of the operator's own; empty: ours
  std::filesystem::path admin_key;
  std::uint64_t io_threads = 0;                      ///< 0: one per core
  std::uint64_t readers = 2;
  std::uint64_t retention_days[4] = {30, 90, 180, 180};
  std::uint64_t events_bytes_max = std::uint64_t{64} << 30; ///< 0: no bound
  std::string log_level = "info";

  [[nodiscard]] std::filesystem::path identity() const {
    return identity_directory.empty() ? data_directory / "identity" : identity_directory;
  }
};

/// Every setting of the server, bound to `settings`, which must outlive the table.
void declare(config::table& table, server_settings& settings);

inline constexpr const char* default_config_file = "/etc/muster/server.toml";

} // namespace muster::server
