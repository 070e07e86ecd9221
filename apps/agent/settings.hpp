#pragma once
// The agent's settings: its TOML file, overridden by flags.

#include "apps/common/settings_table.hpp"

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <string>

namespace muster::agent {

struct agent_settings {
  std::filesystem::path data_directory = "/var/lib/muster/agent";
  std::filesystem::path socket;               ///< empty: "agent.sock" in the data directory
  std::string server;                         ///< HOST[:PORT]; empty: where it enrolled
  std::string transport = "tls";              ///< or "plain"
  std::uint16_t plain_port = 14000;           ///< of the server
  std::string name;                           ///< shown instead of the host name; empty: the host's
  std::chrono::milliseconds sync_period{0};   ///< 0: the server's word
  bool keep = false;
  std::string wake_address = "::";
  std::uint16_t wake_port = 15000;            ///< UDP; 0: not to be called
  std::uint16_t notice_port = 13000;          ///< UDP, of the server
  std::chrono::milliseconds keep_alive{std::chrono::minutes{1}}; ///< 0: never asked
  std::uint64_t spool_bytes_max = 8ULL << 20;
  bool manage = true;                         ///< applications, as the server's policies say
  std::filesystem::path connectors = "/etc/muster/apps.d";
  std::string log_level = "info";

  [[nodiscard]] bool plain() const { return transport == "plain"; }
  [[nodiscard]] std::filesystem::path identity() const { return data_directory / "identity"; }
  [[nodiscard]] std::filesystem::path spool() const { return data_directory / "spool"; }
  [[nodiscard]] std::filesystem::path local_socket() const {
    return socket.empty() ? data_directory / "agent.sock" : socket;
  }
};

/// Every setting of the agent, bound to `settings`, which must outlive the table.
void declare(config::table& table, agent_settings& settings);

inline constexpr const char* default_config_file = "/etc/muster/agent.toml";

} // namespace muster::agent
