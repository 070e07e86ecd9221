#include "net/password.hpp"

#include "net/certificate.hpp"

#include <muster/assert.hpp>

#include <openssl/evp.h>

#include <array>
#include <charconv>
#include <cstdint>
#include <optional>
#include <vector>

namespace muster::net {

namespace {

constexpr std::size_t hash_bytes = 32;
constexpr std::size_t salt_bytes = 16;
constexpr std::size_t salt_bytes_max = 64;
constexpr std::uint64_t memory_bytes_max = 64 * 1024 * 1024;
/// Work beyond what memory bounds.
constexpr std::uint64_t parallel_max = 4;

struct cost {
  unsigned log_n = 15;
  std::uint64_t r = 8;
  std::uint64_t p = 1;
};

/// RFC 7914, 2: 128 * N * r bytes.
bool affordable(const cost& c) {
  return c.log_n >= 1 && c.log_n <= 20 && c.r >= 1 && c.r <= 64 && c.p >= 1 && c.p <= parallel_max
         && ((std::uint64_t{128} * c.r) << c.log_n) <= memory_bytes_max;
}

std::optional<std::string> scrypt(std::string_view password, std::string_view salt, const cost& c) {
  std::array<std::uint8_t, hash_bytes> out{};
  const auto ok =
    EVP_PBE_scrypt(password.data(), password.size(),
                   reinterpret_cast<const std::uint8_t*>(salt.data()), salt.size(),
                   std::uint64_t{1} << c.log_n, c.r, c.p,
                   // The library counts some more than the formula.
                   memory_bytes_max + 1024 * 1024, out.data(), out.size());
  if (ok != 1)
    return std::nullopt;
  return std::string{reinterpret_cast<const char*>(out.data()), out.size()};
}

std::string hex_of(std::string_view bytes) {
  return to_hex({reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size()});
}

std::vector<std::string_view> fields_of(std::string_view record) {
  std::vector<std::string_view> out;
  while (out.size() < 7) {
    const auto end = record.find('$');
    out.push_back(record.substr(0, end));
    if (end == std::string_view::npos)
      break;
    record.remove_prefix(end + 1);
  }
  return out;
}

template <class Number>
bool read_number(std::string_view text, Number& out) {
  const auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), out);
  return ec == std::errc{} && end == text.data() + text.size();
}

} // namespace

std::string hash_password(std::string_view password) {
  std::array<std::uint8_t, salt_bytes> salt{};
  random_bytes(salt);
  const cost c;
  const auto hash =
    scrypt(password, {reinterpret_cast<const char*>(salt.data()), salt.size()}, c);
  MUSTER_ASSERT(hash.has_value(), "no memory to hash a password");
  return "scrypt$" + std::to_string(c.log_n) + "$" + std::to_string(c.r) + "$"
         + std::to_string(c.p) + "$" + to_hex(salt) + "$" + hex_of(*hash);
}

bool verify_password(std::string_view password, std::string_view record) {
  const auto fields = fields_of(record);
  cost c;
  if (fields.size() != 6 || fields[0] != "scrypt" || !read_number(fields[1], c.log_n)
      || !read_number(fields[2], c.r) || !read_number(fields[3], c.p) || !affordable(c))
    return false;
  const auto salt = from_hex(fields[4]);
  const auto wanted = from_hex(fields[5]);
  if (!salt || salt->empty() || salt->size() > salt_bytes_max || !wanted
      || wanted->size() != hash_bytes)
    return false;
  const auto found = scrypt(password, *salt, c);
  return found && equal_in_constant_time(*found, *wanted);
}

} // namespace muster::net
