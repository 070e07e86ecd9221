#include "tests/net/tls_world.hpp"

#include <muster/assert.hpp>

#include <chrono>

namespace muster::net::testing {

std::int64_t machine_now_s() {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return std::chrono::duration_cast<std::chrono::seconds>(now).count();
}

server_tls_options tls_world::server_options() const {
  server_tls_options out;
  out.key = server_key;
  out.leaf = server_leaf;
  out.authority = authority.self();
  out.tickets = tickets;
  return out;
}

client_tls_options tls_world::stranger_options() {
  client_tls_options out;
  out.server.authority_pin = authority.self().spki_sha256();
  out.now_s = [this] { return now_s; };
  out.on_session = [this](tls_session_ptr session) { sessions.push_back(std::move(session)); };
  return out;
}

client_tls_options tls_world::device_options() {
  auto out = stranger_options();
  out.key = device_key;
  out.leaf = device_leaf;
  out.server.server_id = server_id;
  return out;
}

std::shared_ptr<const server_tls_context> context(const server_tls_options& options) {
  std::error_code ec;
  auto made = server_tls_context::make(options, ec);
  MUSTER_ASSERT(made != nullptr, "the test's options are good");
  return made;
}

std::shared_ptr<const client_tls_context> context(const client_tls_options& options) {
  std::error_code ec;
  auto made = client_tls_context::make(options, ec);
  MUSTER_ASSERT(made != nullptr, "the test's options are good");
  return made;
}

namespace {

void carry(std::string& from, std::size_t piece, tls_engine& to, std::string& plain,
           std::string& back, std::error_code& ec, std::size_t& count) {
  const auto bytes = std::exchange(from, {});
  count += bytes.size();
  for (std::size_t at = 0; at < bytes.size() && !ec; at += piece)
    ec = to.receive(bytes_of(std::string_view(bytes).substr(at, piece)), plain, back);
}

} // namespace

void wire::run(std::size_t piece) {
  while (!to_server.empty() || !to_client.empty()) {
    carry(to_server, piece, server, at_server, to_client, server_error, bytes_up);
    carry(to_client, piece, client, at_client, to_server, client_error, bytes_down);
  }
}

void wire::handshake(std::size_t piece) {
  client_error = client.start(to_server);
  run(piece);
}

void wire::client_says(std::string_view text) {
  client_error = client.send(text, to_server);
  run();
}

void wire::server_says(std::string_view text) {
  server_error = server.send(text, to_client);
  run();
}

} // namespace muster::net::testing
