#pragma once
// How server and agent name what a device holds.

#include "net/section_digest.hpp"

#include <cstddef>
#include <string>
#include <string_view>

namespace muster::wire {
class document_manifest;
} // namespace muster::wire

namespace muster::net {

namespace document_limits {
inline constexpr std::size_t entries_max = 256;     ///< of a manifest
inline constexpr std::size_t name_bytes_max = 64;   ///< of a document
inline constexpr std::size_t content_bytes_max = 1024 * 1024; ///< canonical form or patch, unpacked
} // namespace document_limits

/// The first 16 bytes of SHA-256 over, for each entry in the order given: its kind (one byte), the
/// length of its name (one byte), the name, the revision (8 bytes, big endian), the hash (16 bytes).
/// An empty manifest has the digest of nothing, which is not zero. Entries must keep the bounds.
[[nodiscard]] section_digest_bytes manifest_digest_of(const wire::document_manifest& manifest);

/// Empty, or a clause: bounds, order (kind, then name, each once), lengths of hashes. Kinds that
/// this version does not know are no problem: a newer peer has them.
[[nodiscard]] std::string problem_with(const wire::document_manifest& manifest);

} // namespace muster::net
