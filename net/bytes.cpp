#include "net/certificate.hpp"
#include "net/der.hpp"
#include "net/section_digest.hpp"

#include <muster/assert.hpp>

#include <openssl/mem.h>
#include <openssl/rand.h>
#include <openssl/sha.h>

#include <algorithm>

namespace muster::net {

namespace {

int digit(char c) {
  if (c >= '0' && c <= '9')
    return c - '0';
  if (c >= 'a' && c <= 'f')
    return c - 'a' + 10;
  if (c >= 'A' && c <= 'F')
    return c - 'A' + 10;
  return -1;
}

} // namespace

std::string to_hex(std::span<const std::uint8_t> data) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string out;
  out.reserve(2 * data.size());
  for (const std::uint8_t byte : data) {
    out += digits[byte >> 4U];
    out += digits[byte & 15U];
  }
  return out;
}

std::optional<std::string> from_hex(std::string_view text) {
  if (text.size() % 2 != 0)
    return std::nullopt;
  std::string out;
  out.reserve(text.size() / 2);
  for (std::size_t at = 0; at < text.size(); at += 2) {
    const int high = digit(text[at]);
    const int low = digit(text[at + 1]);
    if (high < 0 || low < 0)
      return std::nullopt;
    out += static_cast<char>(high * 16 + low);
  }
  return out;
}

sha256_digest sha256(std::string_view data) {
  sha256_digest out;
  SHA256(der::bytes(data), data.size(), out.data());
  return out;
}

section_digest_bytes section_digest_of(std::string_view canonical_form) {
  const auto whole = sha256(canonical_form);
  section_digest_bytes out;
  std::copy_n(whole.begin(), out.size(), out.begin());
  return out;
}

void random_bytes(std::span<std::uint8_t> out) {
  MUSTER_ASSERT(RAND_bytes(out.data(), out.size()) == 1, "the system gives no random bytes");
}

bool equal_in_constant_time(std::string_view a, std::string_view b) {
  return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

} // namespace muster::net
