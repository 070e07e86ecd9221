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

/// What the server knows of a device; REQUIREs that it knows it.
[[nodiscard]] nlohmann::json device_of(const console_under_test& console, const std::string& name);
[[nodiscard]] std::string state_of(const console_under_test& console, const std::string& name);

/// The running agent has synced and has nothing more to say, and both sides know that its connection
/// is over: it does not come by itself before its next sync is due.
[[nodiscard]] bool is_quiet(const console_under_test& console, const agent_under_test& agent);

} // namespace muster::test
