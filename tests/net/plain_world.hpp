#pragma once
// Two plain engines with a wire of strings between them, on which everything may happen.

#include "net/errc.hpp"
#include "net/plain_engine.hpp"
#include "tests/net/tls_world.hpp"

#include <string>
#include <string_view>
#include <system_error>
#include <vector>

namespace muster::net::testing {

struct plain_world : tls_world {
  [[nodiscard]] client_plain_options agent_options() const;
  [[nodiscard]] server_plain_context_ptr server_context() const;
  [[nodiscard]] client_plain_context_ptr agent_context() const;
};

[[nodiscard]] client_plain_context_ptr context(const client_plain_options& options);

/// One conversation. `to_*` is what is on the wire; a test that wants to alter something does so
/// between say and carry.
struct plain_wire {
  plain_engine agent;
  plain_engine server;
  std::string to_server;
  std::string to_agent;
  std::string at_server; ///< delivered
  std::string at_agent;
  std::error_code agent_error;
  std::error_code server_error;

  explicit plain_wire(const plain_world& world)
    : plain_wire(world.agent_context(), world.server_context()) {}
  plain_wire(client_plain_context_ptr from, server_plain_context_ptr to,
             const plain_draw& agent_draw = plain_draw::make(),
             const plain_draw& server_draw = plain_draw::make())
    : agent(std::move(from), agent_draw), server(std::move(to), server_draw) {}

  /// The agent's first message is on the wire.
  void start();
  void carry_up(std::size_t piece = 1 << 20);
  void carry_down(std::size_t piece = 1 << 20);
  /// Until both sides are silent or have failed.
  void run(std::size_t piece = 1 << 20);
  void handshake(std::size_t piece = 1 << 20);
  void agent_says(std::string_view text) { must(agent.send(text, to_server)); }
  void server_says(std::string_view text) { must(server.send(text, to_agent)); }
  [[nodiscard]] bool open() const { return agent.open() && server.open(); }

private:
  static void must(std::error_code ec);
};

/// The frames of a stream, each with its length.
[[nodiscard]] std::vector<std::string> frames_in(std::string_view stream);

} // namespace muster::net::testing
