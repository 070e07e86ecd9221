#pragma once
// The messages of the plain port's handshake as values, and back. Pure, strict: what we would not
// have written ourselves is no message. For plain_handshake.cpp.

#include "net/plain_handshake.hpp"
#include "net/trust.hpp"

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace muster::net::plain {

/// The text that only we begin with: who says anything else is answered nothing.
inline constexpr std::string_view opening = "muster plain";

using bytes_32 = std::array<std::uint8_t, 32>;

/// Kind, opening, version, nonce, share, count of certificates, each with its length; from a
/// server its signature behind all of it. One form for both: what the kind means is the reader's.
struct hello {
  bytes_32 nonce{};
  bytes_32 share{};
  std::vector<std::string_view> chain;
  std::string_view signature; ///< a server's only
  std::string_view signed_part; ///< kind to chain
};

/// A hello without its signature.
[[nodiscard]] std::string write_hello(plain_kind kind, const bytes_32& nonce, const bytes_32& share,
                                      const std::vector<std::string>& chain);
/// Appends to `message` a part with its length in two bytes: a signature.
void append_prefixed(std::string_view part, std::string& message);

/// Views into `payload`. On failure `why` is plain_wrong_version or malformed.
[[nodiscard]] std::optional<hello> read_hello(std::string_view payload, plain_kind expected,
                                              errc& why);

/// The signature in an agent's proof; empty when it is none.
[[nodiscard]] std::optional<std::string_view> read_proof(std::string_view payload);

/// The word for people by which an end says why it gives up, as a whole frame; empty when nothing
/// is to be said.
[[nodiscard]] std::string refusal_for(errc why);
/// What the peer's refusal means; empty when `payload` is none.
[[nodiscard]] std::optional<errc> read_refusal(std::string_view payload);

} // namespace muster::net::plain
