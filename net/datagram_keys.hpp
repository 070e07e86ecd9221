#pragma once
// The symmetric keys of datagrams: what lets a receiver refuse a stranger's datagram for the price
// of a hash. Derived, so that the server keeps none of them.

#include "net/certificate.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string_view>
#include <utility>
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

/// What the keys of one generation are derived from.
struct datagram_secret {
  std::uint32_t generation = 1;
  std::array<std::uint8_t, 32> value{};
  bool operator==(const datagram_secret&) const = default;
};

/// Which generations are valid: the newest and, from the first rotation on, the one before.
struct datagram_secrets {
  datagram_secret newest;
  std::optional<datagram_secret> previous;
  bool operator==(const datagram_secrets&) const = default;
};

/// The keys of all devices of a server: HKDF-SHA256 of a generation's secret over a label, the
/// generation and the device id. Immutable, thread-safe, cheap to copy; a rotation makes another
/// one.
///
/// A rotation needs no record of who holds what. A device is handed every valid generation and
/// keeps them; it uses the newest it has. The server sends under the oldest that is valid, which
/// every device has that came by since the rotation before.
class datagram_keyring {
public:
  explicit datagram_keyring(const datagram_secrets& secrets);
  /// Of a server that has never rotated: generation 1.
  explicit datagram_keyring(std::span<const std::uint8_t, 32> first_secret);

  [[nodiscard]] std::uint32_t newest() const noexcept { return newest_.generation; }
  [[nodiscard]] bool knows(std::uint32_t generation) const noexcept;
  /// What the server's own datagrams are made under.
  [[nodiscard]] std::uint32_t generation_sent() const noexcept;

  /// For a generation that is valid or not: the caller has asked knows().
  [[nodiscard]] datagram_key wake_key(std::uint32_t generation, const id_bytes& device) const;
  [[nodiscard]] datagram_key notice_key(std::uint32_t generation, const id_bytes& device) const;

  /// What to hand to this device: one or two, the newest first.
  [[nodiscard]] std::vector<device_datagram_keys> keys_of(const id_bytes& device) const;

private:
  struct source {
    std::uint32_t generation = 0;
    datagram_key extracted{}; ///< HKDF's first half, the same for everybody
  };
  [[nodiscard]] static source extract(const datagram_secret& secret);
  [[nodiscard]] datagram_key derive(std::string_view label, std::uint32_t generation,
                                    const id_bytes& device) const;

  source newest_;
  std::optional<source> previous_;
};

/// The keyring of a server that runs: a rotation puts another one in its place. Thread-safe.
class live_datagram_keys {
public:
  explicit live_datagram_keys(const datagram_keyring& keys)
    : keys_(std::make_shared<const datagram_keyring>(keys)) {}

  /// Ask once for what belongs together: the next answer may be another one.
  [[nodiscard]] std::shared_ptr<const datagram_keyring> now() const {
    const std::lock_guard lock{mutex_};
    return keys_;
  }
  void use(const datagram_keyring& keys) {
    auto fresh = std::make_shared<const datagram_keyring>(keys);
    const std::lock_guard lock{mutex_};
    keys_ = std::move(fresh);
  }

private:
  mutable std::mutex mutex_;
  std::shared_ptr<const datagram_keyring> keys_;
};

/// HMAC-SHA256 over `bytes`, its first half.
[[nodiscard]] datagram_tag datagram_tag_of(const datagram_key& key, std::string_view bytes);

} // namespace muster::net
