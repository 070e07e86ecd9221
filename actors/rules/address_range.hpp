#pragma once
// Internet addresses and ranges of them, as people write them: `10.1.0.0/16`, `2001:db8::/32`.

#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace muster::rules {

/// 128 bits; IPv4 as IPv6 writes it (::ffff:a.b.c.d), so that an address is equal to itself
/// whichever way a socket reported it.
struct ip_address {
  std::array<std::uint8_t, 16> bytes{};
  friend auto operator<=>(const ip_address&, const ip_address&) = default;

  [[nodiscard]] bool is_v4() const noexcept;
  /// Dotted, or eight groups with the longest run of zeros left out (RFC 5952).
  [[nodiscard]] std::string text() const;
  /// Strict: no zone, no leading zeros in IPv4.
  [[nodiscard]] static std::optional<ip_address> parse(std::string_view text) noexcept;
};

/// All addresses that begin alike.
struct address_range {
  ip_address first;
  std::uint8_t prefix_bits = 128; ///< of the 128
  friend auto operator<=>(const address_range&, const address_range&) = default;

  /// "ADDRESS/BITS", or an address alone. Bits behind the prefix must be zero: `10.1.2.3/8` is more
  /// likely a slip than a range. Empty with a clause in `problem` otherwise.
  [[nodiscard]] static std::optional<address_range> parse(std::string_view text,
                                                          std::string& problem);
  [[nodiscard]] std::string text() const;
  [[nodiscard]] bool contains(const ip_address& address) const noexcept;
};

} // namespace muster::rules
