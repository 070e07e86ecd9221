#pragma once
// The symmetric keys of datagrams: what lets a receiver refuse a stranger's datagram for the price
// of a hash. Derived, so that the server keeps none of them.

#include "net/certificate.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

namespace muster::net {

using datagram_key = std::array<std::uint8_t, 32>;
using datagram_tag = std::array<std::uint8_t, 16>;

/// What a device holds of one generation: the server hands it over in a mutual TLS session, never
/// over the plain port.
struct device_datagram_keys {
  std::uint32_t generation = 0;
  datagram_key wake{};   ///< the server's datagrams to this device
  datagram_key notice{}; ///< this device's datagrams to the server, and their acknowledgements
  bool operator==(const device_datagram_keys&) const = default;
};

/// Which generations are valid: the newest and, while a rotation lasts, the one before.
struct datagram_generations {
  std::uint32_t newest = 1;
  bool previous_too = false;
  bool operator==(const datagram_generations&) const = default;
};

/// The keys of all devices of a server: HKDF-SHA256 of the server's datagram secret over a label,
/// the generation and the device id. Immutable, thread-safe, cheap to copy; a rotation makes
/// another one.
///
/// A rotation needs no record of who holds what. A device is handed every valid generation and
/// keeps them; it uses the newest it has. The server sends under the oldest that is valid, which
/// every device has that came by since the rotation before.
class datagram_keyring {
public:
  datagram_keyring(std::span<const std::uint8_t, 32> datagram_secret,
                   datagram_generations valid = {});

  [[nodiscard]] datagram_generations valid() const noexcept { return valid_; }
  [[nodiscard]] bool knows(std::uint32_t generation) const noexcept;
  /// What the server's own datagrams are made under.
  [[nodiscard]] std::uint32_t generation_sent() const noexcept;

  /// For a generation that is valid or not: the caller has asked knows().
  [[nodiscard]] datagram_key wake_key(std::uint32_t generation, const id_bytes& device) const;
  [[nodiscard]] datagram_key notice_key(std::uint32_t generation, const id_bytes& device) const;

  /// What to hand to this device: one or two, the newest first.
  [[nodiscard]] std::vector<device_datagram_keys> keys_of(const id_bytes& device) const;

private:
  [[nodiscard]] datagram_key derive(std::string_view label, std::uint32_t generation,
                                    const id_bytes& device) const;

  datagram_key extracted_{}; ///< HKDF's first half, the same for everybody
  datagram_generations valid_;
};

/// HMAC-SHA256 over `bytes`, its first half.
[[nodiscard]] datagram_tag datagram_tag_of(const datagram_key& key, std::string_view bytes);

} // namespace muster::net
