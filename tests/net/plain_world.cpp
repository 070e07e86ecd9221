#include "tests/net/plain_world.hpp"

#include <muster/assert.hpp>

#include <utility>

namespace muster::net::testing {

client_plain_options plain_world::agent_options() const {
  client_plain_options out{device_key, device_leaf, {}, [this] { return now_s; }};
  out.server.authority_pin = authority.self().spki_sha256();
  out.server.server_id = server_id;
  return out;
}

server_plain_context_ptr plain_world::server_context() const {
  std::error_code ec;
  auto made = server_plain_context::make(server_key, server_leaf, authority.self(), ec);
  MUSTER_ASSERT(made != nullptr, "the test's options are good");
  return made;
}

client_plain_context_ptr plain_world::agent_context() const {
  return context(agent_options());
}

client_plain_context_ptr context(const client_plain_options& options) {
  std::error_code ec;
  auto made = client_plain_context::make(options, ec);
  MUSTER_ASSERT(made != nullptr, "the test's options are good");
  return made;
}

namespace {

void carry(std::string& from, std::size_t piece, engine& to, std::string& plain, std::string& back,
           std::error_code& ec) {
  const auto bytes = std::exchange(from, {});
  for (std::size_t at = 0; at < bytes.size() && !ec; at += piece)
    ec = to.receive(bytes_of(std::string_view(bytes).substr(at, piece)), plain, back);
}

} // namespace

void plain_wire::start() {
  agent_error = agent.start(to_server);
}

void plain_wire::carry_up(std::size_t piece) {
  carry(to_server, piece, server, at_server, to_agent, server_error);
}

void plain_wire::carry_down(std::size_t piece) {
  carry(to_agent, piece, agent, at_agent, to_server, agent_error);
}

void plain_wire::run(std::size_t piece) {
  while (!to_server.empty() || !to_agent.empty()) {
    carry_up(piece);
    carry_down(piece);
  }
}

void plain_wire::handshake(std::size_t piece) {
  start();
  run(piece);
}

void plain_wire::must(std::error_code ec) {
  MUSTER_ASSERT(!ec, "an open engine sends");
}

std::vector<std::string> frames_in(std::string_view stream) {
  std::vector<std::string> out;
  while (!stream.empty()) {
    const auto front = peek_frame(stream, limits::frame_bytes_max);
    MUSTER_ASSERT(front.status == frame_status::complete, "an engine writes whole frames");
    out.emplace_back(stream.substr(0, front.frame_bytes));
    stream.remove_prefix(front.frame_bytes);
  }
  return out;
}

} // namespace muster::net::testing
