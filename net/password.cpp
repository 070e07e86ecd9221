#include "net/password.hpp"

#include "net/certificate.hpp"
#include "net/der.hpp"

#include <muster/assert.hpp>

#include <openssl/err.h>
#include <openssl/evp.h>

#include <array>
#include <charconv>
#include <cstdint>
#include <optional>

namespace muster::net {

namespace {

constexpr std::string_view scheme = "scrypt";
constexpr std::size_t salt_bytes = 16;
constexpr std::size_t hash_bytes = 32;
constexpr std::size_t salt_bytes_max = 64;
constexpr std::uint64_t memory_max = 64 * 1024 * 1024;
constexpr std::uint32_t passes_max = 4;
constexpr std::size_t record_bytes_max = 512;

struct parameters {
  std::uint32_t log2_n = 15;
  std::uint32_t r = 8;
  std::uint32_t p = 1;
};

bool affordable(const parameters& cost) {
  return cost.log2_n >= 1 && cost.log2_n <= 24 && cost.r >= 1 && cost.r <= 64 && cost.p >= 1 &&
         cost.p <= passes_max && (std::uint64_t{128} * cost.r << cost.log2_n) <= memory_max;
}

/// Empty when there is no memory for it.
std::optional<std::string> hash_of(std::string_view password, std::string_view salt,
                                   const parameters& cost) {
  std::array<std::uint8_t, hash_bytes> out{};
  // The library's bound counts a little working memory as well; ours was checked before.
  const bool made = EVP_PBE_scrypt(password.data(), password.size(), der::bytes(salt), salt.size(),
                                   std::uint64_t{1} << cost.log2_n, cost.r, cost.p, 2 * memory_max,
                                   out.data(), out.size()) == 1;
  ERR_clear_error();
  return made ? std::optional(std::string(der::view(out))) : std::nullopt;
}

/// Up to the next '$' or the end.
std::string_view take_part(std::string_view& text) {
  const auto part = text.substr(0, text.find('$'));
  text.remove_prefix(part.size() == text.size() ? part.size() : part.size() + 1);
  return part;
}

bool take_number(std::string_view& text, std::uint32_t& out) {
  const auto part = take_part(text);
  const auto end = part.data() + part.size();
  const auto [at, error] = std::from_chars(part.data(), end, out);
  return error == std::errc{} && at == end;
}

} // namespace

std::string hash_password(std::string_view password) {
  std::array<std::uint8_t, salt_bytes> salt{};
  random_bytes(salt);
  const parameters cost;
  const auto hash = hash_of(password, der::view(salt), cost);
  MUSTER_ASSERT(hash.has_value(), "out of memory");
  std::string out(scheme);
  for (const auto figure : {cost.log2_n, cost.r, cost.p})
    out += '$' + std::to_string(figure);
  const std::span<const std::uint8_t> hashed(der::bytes(*hash), hash->size());
  return out + '$' + to_hex(salt) + '$' + to_hex(hashed);
}

bool verify_password(std::string_view password, std::string_view record) {
  if (record.size() > record_bytes_max || take_part(record) != scheme)
    return false;
  parameters cost;
  if (!take_number(record, cost.log2_n) || !take_number(record, cost.r) ||
      !take_number(record, cost.p) || !affordable(cost))
    return false;
  const auto salt = from_hex(take_part(record));
  const auto expected = from_hex(record);
  if (!salt || salt->empty() || salt->size() > salt_bytes_max || !expected ||
      expected->size() != hash_bytes)
    return false;
  const auto hash = hash_of(password, *salt, cost);
  return hash && equal_in_constant_time(*hash, *expected);
}

} // namespace muster::net
