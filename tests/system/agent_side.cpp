#include "tests/system/agent_side.hpp"

namespace muster::test {

words callable(const server_under_test& server, const std::string& wake_port, words more) {
  words out{"--wake-address", "127.0.0.1", "--wake-port", wake_port,
            "--notice-port",  std::to_string(server.notices_port())};
  out.insert(out.end(), more.begin(), more.end());
  return out;
}

nlohmann::json status_of(const agent_under_test& agent) {
  const auto said = agent.run({"status", "--json"});
  auto out = nlohmann::json::parse(said.output, nullptr, false);
  return said.exit_code == 0 && out.is_object() ? out : nlohmann::json::object();
}

bool has_synced(const agent_under_test& agent) {
  return status_of(agent).value("syncs", 0) > 0;
}

nlohmann::json device_of(const console_under_test& console, const std::string& name) {
  return console.json({"device", name}).value("device", nlohmann::json::object());
}

std::string state_of(const console_under_test& console, const std::string& name) {
  return device_of(console, name).value("state", "");
}

bool is_quiet(const console_under_test& console, const agent_under_test& agent) {
  const auto its_own = status_of(agent);
  return its_own.value("syncs", 0) > 0 && its_own.value("events_waiting", 1) == 0 &&
         !its_own.value("connected", true) && state_of(console, agent.name()) == "idle";
}

} // namespace muster::test
