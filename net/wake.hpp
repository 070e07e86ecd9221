#pragma once
// The datagram that asks an agent to connect now. Signed by the server, so that nobody else can
// send one, and tagged with the device's own key, so that refusing a stranger's costs a hash.

#include "net/certificate.hpp"
#include "net/datagram_keys.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace muster::net {

/// Big-endian, without gaps:
///
///    0  magic "MUWK"      25  device id      130 bytes in all
///    4  version, 1        41  counter
///    5  generation        49  purpose
///    9  server id         50  tag: HMAC-SHA256 by the device's wake key over all before it, 16 bytes
///                         66  Ed25519 by the server over "muster wake v1", a zero byte and all
///                             before it
inline constexpr std::size_t wake_bytes = 130;

/// Why the agent is to come. It compares digests in any case.
enum class wake_purpose : std::uint8_t { sync = 1, control = 2, events = 3 };

/// What a wake says. The agent connects to the server of its settings, never to the sender.
struct wake {
  std::uint32_t generation = 0; ///< of the device's wake key
  id_bytes server_id{};
  id_bytes device_id{};
  std::uint64_t counter = 0;    ///< of the whole server; each wake has a greater one
  wake_purpose purpose = wake_purpose::sync;
  bool operator==(const wake&) const = default;
};

/// Makes wakes. Immutable, thread-safe. Signing takes 24 us: not on a scheduler thread.
class wake_signer {
public:
  /// Of server_identity::wake_seed.
  explicit wake_signer(const std::array<std::uint8_t, 32>& wake_seed);
  wake_signer(const wake_signer&) = default;
  wake_signer& operator=(const wake_signer&) = default;
  ~wake_signer(); ///< leaves nothing of the key in memory

  /// `wake_key` is the device's, of what.generation.
  [[nodiscard]] std::string make(const wake& what, const datagram_key& wake_key) const;
  [[nodiscard]] const std::array<std::uint8_t, 32>& public_key() const noexcept { return public_; }

private:
  std::array<std::uint8_t, 64> private_{};
  std::array<std::uint8_t, 32> public_{};
};

/// What an agent knows from its enrolment and its sessions.
struct wake_terms {
  id_bytes server_id{};
  id_bytes device_id{};
  std::array<std::uint8_t, 32> server_key{}; ///< server_identity::wake_public_key
  std::vector<device_datagram_keys> keys;    ///< at most two
};

/// Which check refused, in the order in which they are made. What is cheap comes first; whatever
/// is behind `tag` can only be reached by who holds the device's wake key, or a recorded datagram.
enum class wake_verdict : std::uint8_t {
  accepted,
  wrong_size,
  wrong_format,     ///< magic, version or purpose
  wrong_server,
  wrong_device,
  wrong_generation, ///< of a key that this device does not hold
  wrong_tag,
  old_counter,      ///< a wake that was accepted before, or one older than that
  wrong_signature,
};
inline constexpr std::size_t wake_verdicts = 9;

/// One word for logs and figures: "accepted", "tag" ...
[[nodiscard]] const char* word_of(wake_verdict verdict);

/// All checks. `counter_accepted` is the greatest counter that was accepted before; the caller
/// writes the new one to disk before it acts. `out` is filled only with an accepted one.
[[nodiscard]] wake_verdict check_wake(std::string_view datagram, const wake_terms& terms,
                                      std::uint64_t counter_accepted, wake& out);

} // namespace muster::net
