#pragma once
// Small secrets at rest: sealed with a key that is kept elsewhere.

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace muster::net {

/// AES-256-GCM (NIST SP 800-38D): `0x01`, a random nonce of 12 bytes, ciphertext, tag of 16 bytes.
/// `context` is authenticated and not contained: who opens must name it, so that a sealed text that
/// is copied to another place does not open there. With random nonces a key is good for some 2^32
/// seals; a fleet makes thousands. Thread-safe.
class sealed_box {
public:
  using key = std::array<std::uint8_t, 32>;

  explicit sealed_box(const key& secret) : secret_(secret) {}
  ~sealed_box();
  sealed_box(const sealed_box&) = default;
  sealed_box& operator=(const sealed_box&) = default;

  static constexpr std::size_t overhead_bytes = 1 + 12 + 16;

  [[nodiscard]] std::string seal(std::string_view plain, std::string_view context) const;
  /// Empty when it was not sealed by this key with this context, or is damaged.
  [[nodiscard]] std::optional<std::string> open(std::string_view sealed,
                                                std::string_view context) const;

private:
  key secret_;
};

} // namespace muster::net
