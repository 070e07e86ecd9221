#pragma once
// One way to name the content of a section, on both sides.

#include <array>
#include <cstdint>
#include <string_view>

namespace muster::net {

using section_digest_bytes = std::array<std::uint8_t, 16>;

/// The first 16 bytes of SHA-256 over the canonical form.
[[nodiscard]] section_digest_bytes section_digest_of(std::string_view canonical_form);

} // namespace muster::net
