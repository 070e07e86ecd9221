#pragma once
// What tests of the agent's own commands share.

#include "tests/system/fleet.hpp"

#include <nlohmann/json.hpp>

#include <string>

namespace muster::test {

/// The flags with which several agents share a machine: each has its port for wakes, and knows the
/// server's one for notices.
[[nodiscard]] words callable(const server_under_test& server, const std::string& wake_port,
                             words more = {});

/// What the running agent says of itself; empty when it does not answer.
[[nodiscard]] nlohmann::json status_of(const agent_under_test& agent);
/// It has synced since its start, and said so.
[[nodiscard]] bool has_synced(const agent_under_test& agent);

} // namespace muster::test
