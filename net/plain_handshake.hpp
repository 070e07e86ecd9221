#pragma once
// How two ends of the plain port find out who the other is and agree on keys, with nothing to
// negotiate and nothing to fall back to. Pure: what is drawn at random is given.
//
//   agent                                                server
//     │ hello: version, nonce, X25519 share, certificate ──▶ │  judged as on the TLS port
//     │ ◀── hello: version, nonce, share, chain, signature   │
//     │ proof: signature ──────────────────────────────────▶ │
//
// Each signature covers everything before it, both certificates, nonces and shares included, so
// that neither can be carried into another conversation. It is made as TLS 1.3 makes them (RFC
// 8446, 4.4.3: 64 spaces, a text per role, a zero byte, a hash), so that it is of no use as any
// other signature by the same key. The keys come from the shared secret and the hash of all three
// messages. An end that refuses says why in a word that proves nothing and is there for people.

#include "net/errc.hpp"
#include "net/link.hpp"
#include "net/plain_context.hpp"
#include "net/plain_frame.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <system_error>

namespace muster::net {

inline constexpr std::uint8_t plain_version = 1;

/// A message of the handshake, without its length.
inline constexpr std::size_t plain_handshake_bytes_max = limits::frame_bytes_anonymous_max;

/// Drawn for one connection and never used again.
struct plain_draw {
  std::array<std::uint8_t, 32> private_share{}; ///< X25519
  std::array<std::uint8_t, 32> nonce{};
  [[nodiscard]] static plain_draw make();
};

/// One per direction.
struct plain_keys {
  plain_key from_agent{};
  plain_key from_server{};
};

/// Either end, until it is finished or has failed. Ends with an error at the first byte that is not
/// as it should be.
class plain_handshake {
public:
  plain_handshake() = default;
  virtual ~plain_handshake() = default;
  plain_handshake(const plain_handshake&) = delete;
  plain_handshake& operator=(const plain_handshake&) = delete;

  /// What the agent says first; nothing for a server.
  virtual void start(std::string& out) = 0;
  /// The peer's next message, as it came (at most plain_handshake_bytes_max). Appends the answer, or
  /// with an error a refusal: but to somebody who does not even speak our protocol, nothing.
  [[nodiscard]] virtual std::error_code receive(std::string_view payload, std::string& out) = 0;

  [[nodiscard]] bool finished() const noexcept { return finished_; }
  /// Once finished.
  [[nodiscard]] const plain_keys& keys() const noexcept { return keys_; }
  [[nodiscard]] const sha256_digest& peer_certificate() const noexcept { return peer_; }

protected:
  plain_keys keys_;
  sha256_digest peer_{};
  bool finished_ = false;
};

[[nodiscard]] std::unique_ptr<plain_handshake> plain_agent_side(client_plain_context_ptr context,
                                                                const plain_draw& drawn);
[[nodiscard]] std::unique_ptr<plain_handshake> plain_server_side(server_plain_context_ptr context,
                                                                 const plain_draw& drawn);

} // namespace muster::net
