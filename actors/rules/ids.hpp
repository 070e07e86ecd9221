#pragma once
// Identities as distinct types, so that one cannot be passed for another.

#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace muster::rules {

/// 128 bits; `Tag` makes each kind of id a type of its own.
template <class Tag>
struct id128 {
  std::array<std::uint8_t, 16> bytes{};

  friend auto operator<=>(const id128&, const id128&) = default;

  [[nodiscard]] bool is_zero() const noexcept { return *this == id128{}; }

  /// 32 lower case hexadecimal digits.
  [[nodiscard]] std::string text() const {
    static constexpr char digits[] = "0123456789abcdef";
    std::string out;
    out.reserve(32);
    for (const auto byte : bytes) {
      out.push_back(digits[byte >> 4]);
      out.push_back(digits[byte & 15]);
    }
    return out;
  }

  [[nodiscard]] static std::optional<id128> from_text(std::string_view hex) {
    if (hex.size() != 32)
      return std::nullopt;
    id128 out;
    for (std::size_t i = 0; i < 32; ++i) {
      const char c = hex[i];
      const int value = c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
      if (value < 0)
        return std::nullopt;
      out.bytes[i / 2] = static_cast<std::uint8_t>((out.bytes[i / 2] << 4) | value);
    }
    return out;
  }

  /// From 16 raw bytes as they come off the wire or the disk; empty on any other length.
  [[nodiscard]] static std::optional<id128> from_bytes(std::string_view raw) {
    if (raw.size() != 16)
      return std::nullopt;
    id128 out;
    std::memcpy(out.bytes.data(), raw.data(), 16);
    return out;
  }

  [[nodiscard]] std::string raw() const {
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
  }
};

using device_id = id128<struct device_tag>;
using server_id = id128<struct server_tag>;
/// Drawn by the kernel at each boot of a device.
using boot_id = id128<struct boot_tag>;
/// Names a machine, not an installation: SHA-256 of its machine id under our label, cut.
using machine_fingerprint = id128<struct fingerprint_tag>;

/// 64 random bits that an agent draws at each start; with a sequence they name an event.
struct event_position {
  std::uint64_t epoch = 0;
  std::uint64_t sequence = 0;
  friend auto operator<=>(const event_position&, const event_position&) = default;
};

} // namespace muster::rules

template <class Tag>
struct std::hash<muster::rules::id128<Tag>> {
  std::size_t operator()(const muster::rules::id128<Tag>& id) const noexcept {
    std::size_t out; // ids are random: any eight bytes are a hash
    std::memcpy(&out, id.bytes.data(), sizeof out);
    return out;
  }
};
