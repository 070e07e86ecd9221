#include "tests/system/agent_side.hpp"

#include "net/udp_socket.hpp"

#include <doctest/doctest.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

namespace muster::test {

std::string free_udp_port() {
  bool v6 = false;
  std::error_code ec;
  const auto socket = net::bind_udp("127.0.0.1", 0, 1 << 16, v6, ec);
  REQUIRE(socket);
  sockaddr_in here{};
  socklen_t size = sizeof(here);
  REQUIRE(::getsockname(socket.get(), reinterpret_cast<sockaddr*>(&here), &size) == 0);
  return std::to_string(ntohs(here.sin_port));
}

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

} // namespace muster::test
