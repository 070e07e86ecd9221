#pragma once
// A server, its devices, and what somebody can do who has recorded a genuine datagram.

#include "net/notice.hpp"
#include "net/wake.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <string>

namespace muster::net::testing {

template <std::size_t Bytes>
std::array<std::uint8_t, Bytes> all(std::uint8_t value) {
  std::array<std::uint8_t, Bytes> out{};
  out.fill(value);
  return out;
}

/// Everything is fixed, so that seeds and fixtures stay what they are.
struct datagram_world {
  id_bytes server_id = all<16>(0x5e);
  id_bytes device_id = all<16>(0xde);
  id_bytes other_device = all<16>(0xdf);
  wake_signer signer{all<32>(0x11)};
  datagram_keyring keys{all<32>(0x22)};
  wake_terms terms{server_id, device_id, signer.public_key(), keys.keys_of(device_id)};
  wake wanted{1, server_id, device_id, 1000, wake_purpose::control};
  notice leaving{1, device_id, all<16>(0xb0), 77, notice_reason::suspend};

  [[nodiscard]] std::string genuine_wake() const {
    return signer.make(wanted, keys.wake_key(1, device_id));
  }
  [[nodiscard]] std::string genuine_notice() const {
    return make_notice(leaving, keys.notice_key(1, device_id));
  }
  [[nodiscard]] wake_verdict check(std::string_view datagram, std::uint64_t accepted = 999) const {
    wake out;
    return check_wake(datagram, terms, accepted, out);
  }
  [[nodiscard]] notice_verdict check_on_server(std::string_view datagram) const {
    notice out;
    return check_notice(datagram, keys, out);
  }
};

/// The same bytes with one bit turned.
inline std::string flipped(std::string bytes, std::size_t bit) {
  bytes[bit / 8] = static_cast<char>(static_cast<unsigned char>(bytes[bit / 8]) ^ 1U << bit % 8);
  return bytes;
}

/// The same bytes with this number (big-endian, 8 bytes) at this place.
inline std::string with_number(std::string bytes, std::size_t at, std::uint64_t value) {
  for (std::size_t i = 0; i < 8; ++i)
    bytes[at + i] = static_cast<char>(value >> (56 - 8 * i) & 0xffU);
  return bytes;
}

} // namespace muster::net::testing
