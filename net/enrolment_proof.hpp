#pragma once
// What an enrolling agent signs with its new key: that it holds the key, in this connection.

#include <array>
#include <cstdint>
#include <span>
#include <string>

namespace muster::net {

/// Label of the TLS exporter (RFC 8446, 7.5) whose 32 bytes are signed; no context.
inline constexpr const char* enrolment_exporter_label = "EXPORTER-muster-enrolment";

/// "muster enrolment proof v1", a zero byte, the exporter value. Signed with ECDSA P-256/SHA-256.
[[nodiscard]] std::string enrolment_proof_message(std::span<const std::uint8_t, 32> exporter);

} // namespace muster::net
