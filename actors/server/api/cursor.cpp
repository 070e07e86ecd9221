#include "actors/server/api/cursor.hpp"

#include "net/certificate.hpp"

#include <cstddef>
#include <cstdint>

namespace muster::actors::api {

namespace {

constexpr std::string_view digits =
  "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
constexpr std::size_t check_bytes = 8;

/// RFC 4648, 5, without padding.
std::string to_base64url(std::string_view bytes) {
  std::string out;
  std::uint32_t bits = 0;
  unsigned count = 0;
  for (const char c : bytes) {
    bits = bits << 8 | static_cast<std::uint8_t>(c);
    count += 8;
    while (count >= 6) {
      count -= 6;
      out.push_back(digits[bits >> count & 63]);
    }
  }
  if (count > 0)
    out.push_back(digits[bits << (6 - count) & 63]);
  return out;
}

std::optional<std::string> from_base64url(std::string_view text) {
  std::string out;
  std::uint32_t bits = 0;
  unsigned count = 0;
  for (const char c : text) {
    const auto value = digits.find(c);
    if (value == std::string_view::npos)
      return std::nullopt;
    bits = bits << 6 | static_cast<std::uint32_t>(value);
    count += 6;
    if (count >= 8) {
      count -= 8;
      out.push_back(static_cast<char>(static_cast<std::uint8_t>(bits >> count)));
    }
  }
  // What is left over is less than a byte of zeros, or there was a second text for the same bytes.
  if (count >= 6 || (bits & ((1U << count) - 1)) != 0)
    return std::nullopt;
  return out;
}

std::string check_of(std::string_view question, std::string_view content) {
  std::string all{question};
  all.push_back('\0');
  all += content;
  const auto digest = net::sha256(all);
  return {digest.begin(), digest.begin() + check_bytes};
}

} // namespace

std::string encode_cursor(std::string_view question, std::span<const std::string> fields) {
  std::string content;
  for (const auto& field : fields) {
    content.push_back(static_cast<char>(static_cast<std::uint8_t>(field.size() >> 8)));
    content.push_back(static_cast<char>(static_cast<std::uint8_t>(field.size())));
    content += field;
  }
  return to_base64url(check_of(question, content) + content);
}

std::optional<std::vector<std::string>> decode_cursor(std::string_view question,
                                                      std::string_view text) {
  if (text.size() > cursor_bytes_max)
    return std::nullopt;
  const auto bytes = from_base64url(text);
  if (!bytes || bytes->size() < check_bytes)
    return std::nullopt;
  std::string_view content = *bytes;
  const auto check = content.substr(0, check_bytes);
  content.remove_prefix(check_bytes);
  if (check != check_of(question, content))
    return std::nullopt;
  std::vector<std::string> fields;
  while (!content.empty()) {
    if (content.size() < 2 || fields.size() == cursor_fields_max)
      return std::nullopt;
    const auto size = static_cast<std::size_t>(static_cast<std::uint8_t>(content[0])) << 8
                      | static_cast<std::uint8_t>(content[1]);
    content.remove_prefix(2);
    if (content.size() < size)
      return std::nullopt;
    fields.emplace_back(content.substr(0, size));
    content.remove_prefix(size);
  }
  return fields;
}

} // namespace muster::actors::api
