#pragma once
// A fleet's trust in a few lines (an authority, a server, a device), and two TLS engines with a
// wire of strings between them.

#include "net/certificate.hpp"
#include "net/tls_context.hpp"
#include "net/tls_engine.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

namespace muster::net::testing {

inline constexpr std::int64_t day_s = 24 * 3600;

[[nodiscard]] inline id_bytes id_of(std::uint8_t byte) {
  id_bytes id{};
  id.fill(byte);
  return id;
}

/// The machine's clock: the library itself judges the age of tickets by it.
[[nodiscard]] std::int64_t machine_now_s();

struct tls_world {
  std::int64_t now_s = machine_now_s();
  id_bytes server_id = id_of(1);
  id_bytes device_id = id_of(2);
  certificate_authority authority = certificate_authority::make(server_id, now_s);
  key_pair server_key = key_pair::generate();
  certificate server_leaf =
    authority.issue(server_key, role::server, server_id, now_s, server_lifetime);
  key_pair device_key = key_pair::generate();
  certificate device_leaf =
    authority.issue(device_key, role::device, device_id, now_s, device_lifetime);
  std::shared_ptr<ticket_keys> tickets = ticket_keys::in_memory(now_s);
  /// Tickets that clients were given, newest last.
  std::vector<tls_session_ptr> sessions;

  [[nodiscard]] server_tls_options server_options() const;
  /// A device that has enrolled.
  [[nodiscard]] client_tls_options device_options();
  /// A device about to enrol.
  [[nodiscard]] client_tls_options stranger_options();
};

[[nodiscard]] std::shared_ptr<const server_tls_context> context(const server_tls_options& options);
[[nodiscard]] std::shared_ptr<const client_tls_context> context(const client_tls_options& options);

/// Two engines. Contexts are not kept: engines must live without them.
struct wire {
  tls_engine client;
  tls_engine server;
  std::string to_server;
  std::string to_client;
  std::string at_server; ///< decrypted
  std::string at_client;
  std::error_code client_error;
  std::error_code server_error;
  std::size_t bytes_up = 0; ///< carried so far
  std::size_t bytes_down = 0;

  wire(const client_tls_options& from, const server_tls_options& to,
       const tls_session_ptr& offer = nullptr)
    : client(*context(from), offer), server(*context(to)) {}

  /// Carries bytes in pieces of at most `piece` until both sides are silent or both have failed.
  void run(std::size_t piece = 1 << 20);
  /// As run, but starts the client first.
  void handshake(std::size_t piece = 1 << 20);
  void client_says(std::string_view text);
  void server_says(std::string_view text);
  [[nodiscard]] bool open() const { return client.open() && server.open(); }
};

[[nodiscard]] inline std::span<const std::uint8_t> bytes_of(std::string_view text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

} // namespace muster::net::testing
