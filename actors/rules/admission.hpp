#pragma once
// May this device come in? One session per device, and never two machines flapping on one record.

#include "actors/rules/ids.hpp"

#include <array>
#include <cstdint>
#include <string_view>

namespace muster::rules {

/// What the directory holds of the device that a hello names.
struct admission_record {
  bool known = false;
  bool revoked = false;
  std::array<std::uint8_t, 32> certificate_sha256{};
  std::int64_t certificate_expires_s = 0;
  machine_fingerprint fingerprint;
  boot_id boot;               ///< of the last hello that was admitted
  boot_id boot_before;        ///< the one that this replaced; zero: none
  bool boot_returned = false; ///< `boot` itself had been replaced before, and came back
  std::uint64_t counter = 0;  ///< of the last hello that was admitted, or of a notice since
  std::uint64_t hello_counter = 0; ///< of the last hello that was admitted
  bool has_session = false;
};

/// How a hello changes what is held of boots.
struct boot_history {
  boot_id before;
  bool returned = false;
};
[[nodiscard]] boot_history history_after(const admission_record& record,
                                         const boot_id& boot) noexcept;

/// What the hello claims, and what the handshake proved.
struct admission_claim {
  std::array<std::uint8_t, 32> certificate_sha256{};
  machine_fingerprint fingerprint;
  boot_id boot;
  std::uint64_t counter = 0;
};

enum class admission_step : std::uint8_t {
  admit,           ///< no session is in the way
  take_over,       ///< admit; the present session is a leftover of the same boot
  ask_old_session, ///< alive: refuse the newcomer; silent: admit
  refuse_unknown,  ///< no such device, or not with this certificate
  refuse_revoked,
  refuse_expired,
  refuse_clone,    ///< the certificate is shown by a machine that did not enrol it
  refuse_turns,    ///< two boots take turns: they are two machines
};

struct admission_decision {
  admission_step step = admission_step::refuse_unknown;
  /// The counter is not above the last one: the device's disk has been set back. Only of meaning
  /// when the device is let in.
  bool went_back = false;
  /// The device has said since that it goes, and that datagram was faster than this hello.
  bool late = false;
};

[[nodiscard]] admission_decision decide_admission(const admission_record& record,
                                                  const admission_claim& claim,
                                                  std::int64_t now_s) noexcept;

/// What a refused agent is told, and what its administrator should do. Empty for the others.
[[nodiscard]] std::string_view explain(admission_step step) noexcept;

} // namespace muster::rules
