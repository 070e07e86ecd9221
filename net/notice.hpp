#pragma once
// The datagram that tells the server that a device is about to be away, and the server's answer.

#include "net/certificate.hpp"
#include "net/datagram_keys.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace muster::net {

/// Big-endian, without gaps:
///
///    0  magic "MUNO"    25  boot id    66 bytes in all
///    4  version, 1      41  counter
///    5  generation      49  reason
///    9  device id       50  tag: HMAC-SHA256 by the device's notice key over all before it, 16 bytes
inline constexpr std::size_t notice_bytes = 66;

/// The same, with the magic "MUNA" and without the reason: never longer than what it answers, so
/// that it amplifies nothing.
inline constexpr std::size_t acknowledgement_bytes = 65;

enum class notice_reason : std::uint8_t { shutdown = 1, restart = 2, suspend = 3, agent_stop = 4 };

/// What a notice says. Only a counter above the device's last recorded one counts; a retry has the
/// same bytes.
struct notice {
  std::uint32_t generation = 0; ///< of the device's notice key
  id_bytes device_id{};
  id_bytes boot_id{};
  std::uint64_t counter = 0;    ///< from the same row as those of hellos; written to disk before use
  notice_reason reason = notice_reason::shutdown;
  bool operator==(const notice&) const = default;
};

/// Which check refused, in the order in which they are made.
enum class notice_verdict : std::uint8_t {
  accepted,
  wrong_size,
  wrong_format,     ///< magic, version or reason
  wrong_generation, ///< not valid (any more)
  wrong_tag,
};
inline constexpr std::size_t notice_verdicts = 5;

/// One word for logs and figures: "accepted", "tag" ...
[[nodiscard]] const char* word_of(notice_verdict verdict);

/// `notice_key` is the device's, of what.generation.
[[nodiscard]] std::string make_notice(const notice& what, const datagram_key& notice_key);

/// What can be said without knowing the devices: the key follows from the id in the datagram, so a
/// stranger's is refused for the price of two hashes. Whether there is such a device, whether it is
/// revoked and whether the counter is new is for the directory. `out` is filled only with an
/// accepted one.
[[nodiscard]] notice_verdict check_notice(std::string_view datagram, const datagram_keyring& keys,
                                          notice& out);

/// What the server answers to a notice that it has taken, again for each retry.
[[nodiscard]] std::string make_acknowledgement(const notice& what, const datagram_key& notice_key);

/// Whether `datagram` acknowledges the notice `sent`, which was made with this key.
[[nodiscard]] bool check_acknowledgement(std::string_view datagram, const notice& sent,
                                         const datagram_key& notice_key);

} // namespace muster::net
