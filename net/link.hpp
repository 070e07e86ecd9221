#pragma once
// What an actor may do to one live connection, and what the connection tells back. CAF-free.

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <system_error>

namespace muster::net {

using sha256_digest = std::array<std::uint8_t, 32>;

/// Who is at the other end, as the handshake proved it.
struct peer_info {
  /// SHA-256 of the peer's certificate, full handshake or resumed; empty for an anonymous peer.
  std::optional<sha256_digest> certificate_sha256;
  /// TLS exporter value of this connection (label in net/enrolment_proof.hpp); only filled for
  /// anonymous peers, who sign it to enrol.
  std::optional<std::array<std::uint8_t, 32>> exporter;
  bool resumed = false;
  /// Nobody else can read what is said. False unless a handshake has made it so.
  bool encrypted = false;
  std::string address; ///< numeric, without port
  std::uint16_t port = 0;
};

/// Told about one link, always from the link's io thread, never concurrently. After on_closed
/// nothing more is told and the link drops its sink.
class link_sink {
public:
  virtual ~link_sink() = default;
  /// One complete message: a frame's payload, or one whole HTTP request or response.
  virtual void on_message(std::string bytes) = 0;
  /// The connection is gone. An empty code means that the peer closed in an orderly way or that
  /// we asked for it.
  virtual void on_closed(std::error_code why) = 0;
};

/// One connection after its handshake. Every method may be called from any thread and returns at
/// once; after the end of the connection they do nothing.
class link {
public:
  virtual ~link() = default;
  /// Names who is told. Call once, before the first grant.
  virtual void attach(std::unique_ptr<link_sink> sink) = 0;
  /// Queues one message (the link frames it). False, and nothing is queued, when the bounded
  /// outbound queue is full or the link has ended.
  [[nodiscard]] virtual bool try_send(std::string message) = 0;
  /// Lets the reader deliver `n` more messages. Without credit the socket is not read; a link
  /// starts with none.
  virtual void grant(std::size_t n) = 0;
  /// Raises the bound on a message from before-authentication to after (net/limits.hpp).
  virtual void trust() = 0;
  /// Sends what is queued (for at most limits::flush_max), says close_notify, closes.
  virtual void close() = 0;
};

using link_ptr = std::shared_ptr<link>;

/// A finished handshake, on its way from an io thread to the actors.
struct accepted {
  link_ptr connection;
  peer_info peer;
};

using accepted_ptr = std::shared_ptr<const accepted>;

} // namespace muster::net
