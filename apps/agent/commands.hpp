#pragma once
// What `muster-agent` does beside being the agent: enrol, move, and ask the agent that runs.

#include "apps/agent/settings.hpp"

#include <filesystem>
#include <string>
#include <vector>

namespace muster::agent {

struct enrol_command {
  std::string server;
  std::string pin;                   ///< hexadecimal; empty with trust_on_first_use
  bool trust_on_first_use = false;
  std::string token;                 ///< or MUSTER_TOKEN
  std::filesystem::path token_file;
};

struct move_command {
  std::string server;
  std::string pin;                   ///< hexadecimal; empty: the server stays the same
  std::string token;                 ///< or MUSTER_TOKEN
  std::filesystem::path token_file;
};

struct event_command {
  std::string severity = "info";
  std::string type;
  std::string text;
  std::vector<std::string> attributes; ///< "key=value"
};

// Each answers the exit code; what people want to know goes to stdout, one line of what went wrong
// to stderr.

[[nodiscard]] int enrol(const agent_settings& settings, const enrol_command& command);
[[nodiscard]] int move(const agent_settings& settings, const move_command& command);
[[nodiscard]] int raise_event(const agent_settings& settings, const event_command& command);
[[nodiscard]] int show_status(const agent_settings& settings, bool json);
[[nodiscard]] int sync_now(const agent_settings& settings);

} // namespace muster::agent
