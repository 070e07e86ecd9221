#pragma once
// Passwords at rest: scrypt (RFC 7914).

#include <string>
#include <string_view>

namespace muster::net {

/// "scrypt$<log2 N>$<r>$<p>$<salt hex>$<hash hex>" with N = 2^15, r = 8, p = 1 (32 MB, about 80
/// ms: never on a scheduler thread).
[[nodiscard]] std::string hash_password(std::string_view password);

/// False on a wrong password and on a record that cannot be read or asks for more than 64 MB.
[[nodiscard]] bool verify_password(std::string_view password, std::string_view record);

} // namespace muster::net
