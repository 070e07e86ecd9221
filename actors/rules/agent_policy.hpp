#pragma once
// What the settings of the application `muster-agent` say: the agent's own policy. Server and agent
// read it with the same eyes, so that nothing is accepted here and refused there.

#include "actors/rules/settings_value.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace muster::rules {

namespace agent_policy_limits {
inline constexpr std::int64_t sync_period_s_min = 10;
inline constexpr std::int64_t sync_period_s_max = 30 * 86'400;
inline constexpr std::int64_t sync_jitter_percent_max = 50;
} // namespace agent_policy_limits

/// What is empty is as the agent's file and the server say.
struct agent_policy {
  std::optional<std::uint32_t> sync_period_s;
  std::optional<std::uint32_t> sync_jitter_percent;
  std::optional<bool> keep; ///< keep the connection after a sync
  friend bool operator==(const agent_policy&, const agent_policy&) = default;
};

/// Reads `sync_period_s` (10 to 2,592,000), `sync_jitter_percent` (0 to 50) and `keep`. Each
/// mistake, a name that is none of these among them, is added to `problems` as a clause; what is
/// good is read all the same.
[[nodiscard]] agent_policy read_agent_policy(const settings_document& values,
                                             std::vector<std::string>& problems);

} // namespace muster::rules
