#pragma once
// `muster-agent check`: tries every step of the way between this device and its server, and says at
// whose side it ends.

#include "apps/agent/settings.hpp"

#include <filesystem>
#include <string>
#include <vector>

namespace muster::agent {

/// `problems` are those of the settings, which are then not used. Answers exit_fine only if nothing
/// has failed. Starts no session, and takes over none: what it tries itself ends with the handshake.
[[nodiscard]] int check(const agent_settings& settings, const std::filesystem::path& settings_file,
                        const std::vector<std::string>& problems, bool json);

} // namespace muster::agent
