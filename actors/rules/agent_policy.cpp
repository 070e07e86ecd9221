#include "actors/rules/agent_policy.hpp"

#include "actors/rules/settings_path.hpp"

namespace muster::rules {

namespace {

void read_number(const settings_entry& entry, std::int64_t least, std::int64_t most,
                 std::optional<std::uint32_t>& out, std::vector<std::string>& problems) {
  const auto* number = entry.value.as_integer();
  if (number != nullptr && *number >= least && *number <= most)
    out = static_cast<std::uint32_t>(*number);
  else
    problems.push_back("'" + entry.name + "' is a whole number from " + std::to_string(least) +
                       " to " + std::to_string(most));
}

} // namespace

agent_policy read_agent_policy(const settings_document& values,
                               std::vector<std::string>& problems) {
  namespace limits = agent_policy_limits;
  agent_policy out;
  const auto* entries = values.as_map();
  if (entries == nullptr) {
    problems.emplace_back("the agent's settings are a map");
    return out;
  }
  for (const auto& entry : *entries) {
    if (entry.name == "sync_period_s") {
      read_number(entry, limits::sync_period_s_min, limits::sync_period_s_max, out.sync_period_s,
                  problems);
    } else if (entry.name == "sync_jitter_percent") {
      read_number(entry, 0, limits::sync_jitter_percent_max, out.sync_jitter_percent, problems);
    } else if (entry.name == "keep") {
      if (const auto* keep = entry.value.as_boolean())
        out.keep = *keep;
      else
        problems.emplace_back("'keep' is true or false");
    } else {
      problems.push_back("the agent has no setting '" + settings_path{}.below(entry.name).text() +
                         "'; it has sync_period_s, sync_jitter_percent and keep");
    }
  }
  return out;
}

} // namespace muster::rules
