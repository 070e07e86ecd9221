#include "storage/records.hpp"

#include <muster/assert.hpp>

#include <algorithm>
#include <climits>
#include <cstring>

namespace muster::storage::records {

namespace {

void append_varint(std::string& out, std::size_t number) {
  while (number >= 0x80) {
    out.push_back(static_cast<char>(static_cast<std::uint8_t>(number | 0x80)));
    number >>= 7;
  }
  out.push_back(static_cast<char>(static_cast<std::uint8_t>(number)));
}

/// Takes format and length off the front; what is left is exactly the content.
std::error_code open(std::string_view& bytes) {
  if (bytes.empty() || bytes.front() == '\0')
    return errc::corrupt;
  if (static_cast<std::uint8_t>(bytes.front()) > format)
    return errc::newer_format;
  std::uint64_t length = 0;
  std::size_t at = 1;
  for (int shift = 0;; shift += 7) {
    if (at == bytes.size() || shift > 28)
      return errc::corrupt;
    const auto byte = static_cast<std::uint8_t>(bytes[at++]);
    length |= static_cast<std::uint64_t>(byte & 0x7f) << shift;
    if (byte < 0x80)
      break;
  }
  bytes.remove_prefix(at);
  return bytes.size() == length ? std::error_code{} : errc::corrupt;
}

/// How far the text is plain ASCII, which most texts are to their end: eight bytes at a time.
std::size_t plain_length(std::string_view text) {
  constexpr std::uint64_t high_bits = 0x8080'8080'8080'8080;
  std::size_t at = 0;
  for (std::uint64_t word = 0; at + sizeof(word) <= text.size(); at += sizeof(word)) {
    std::memcpy(&word, text.data() + at, sizeof(word));
    if ((word & high_bits) != 0)
      break;
  }
  return at;
}

/// Bytes of the UTF-8 sequence at the front; 0 when there is none.
std::size_t sequence_length(std::string_view text) {
  const auto at = [&](std::size_t i) { return static_cast<std::uint8_t>(text[i]); };
  const auto lead = at(0);
  const std::size_t length = lead < 0x80   ? 1
                             : lead < 0xc2 ? 0
                             : lead < 0xe0 ? 2
                             : lead < 0xf0 ? 3
                             : lead < 0xf5 ? 4
                                           : 0;
  if (length < 2 || text.size() < length)
    return length == 1 ? 1 : 0;
  for (std::size_t i = 1; i < length; ++i)
    if ((at(i) & 0xc0) != 0x80)
      return 0;
  // Overlong forms, surrogates, and what lies above Unicode.
  const auto second = at(1);
  const bool bad = (lead == 0xe0 && second < 0xa0) || (lead == 0xed && second > 0x9f) ||
                   (lead == 0xf0 && second < 0x90) || (lead == 0xf4 && second > 0x8f);
  return bad ? 0 : length;
}

} // namespace

std::string clean_text(std::string_view text) {
  std::string out(text.size(), '\0');
  copy_clean_text(out.data(), text);
  return out;
}

void copy_clean_text(char* to, std::string_view text) {
  text.copy(to, text.size());
  for (auto at = plain_length(text); at < text.size();) {
    if (static_cast<std::uint8_t>(text[at]) < 0x80) {
      ++at;
      continue;
    }
    const auto length = sequence_length(text.substr(at));
    if (length == 0)
      to[at] = '?';
    at += std::max<std::size_t>(length, 1);
  }
}

std::string begin(std::size_t length) {
  std::string out;
  out.reserve(length + 6);
  out.push_back(static_cast<char>(format));
  append_varint(out, length);
  return out;
}

std::string encode(const google::protobuf::MessageLite& record) {
  const auto length = record.ByteSizeLong();
  MUSTER_ASSERT(length <= INT_MAX, "records are far below 2 GB");
  auto out = begin(length);
  const auto at = out.size();
  out.resize(at + length);
  auto* const to = reinterpret_cast<std::uint8_t*>(out.data() + at);
  const auto* const end = record.SerializeWithCachedSizesToArray(to);
  MUSTER_ASSERT(end == to + length, "a record of ours serializes");
  return out;
}

std::error_code decode(std::string_view bytes, google::protobuf::MessageLite& out) {
  if (const auto ec = open(bytes))
    return ec;
  if (bytes.size() > INT_MAX || !out.ParseFromArray(bytes.data(), static_cast<int>(bytes.size())))
    return errc::corrupt;
  return {};
}

std::string encode_text(std::string_view text) {
  return begin(text.size()).append(text);
}

std::error_code decode_text(std::string_view bytes, std::string& out) {
  if (const auto ec = open(bytes))
    return ec;
  out = bytes;
  return {};
}

std::string encode_device_id(std::span<const std::uint8_t, 16> id) {
  return encode_text({reinterpret_cast<const char*>(id.data()), id.size()});
}

std::error_code decode_device_id(std::string_view bytes, std::array<std::uint8_t, 16>& out) {
  if (const auto ec = open(bytes))
    return ec;
  if (bytes.size() != out.size())
    return errc::corrupt;
  std::transform(bytes.begin(), bytes.end(), out.begin(),
                 [](char c) { return static_cast<std::uint8_t>(c); });
  return {};
}

std::string encode_number(std::uint64_t number) {
  std::string text;
  for (int shift = 56; shift >= 0; shift -= 8)
    text.push_back(static_cast<char>(static_cast<std::uint8_t>(number >> shift)));
  return encode_text(text);
}

std::error_code decode_number(std::string_view bytes, std::uint64_t& out) {
  if (const auto ec = open(bytes))
    return ec;
  if (bytes.size() != 8)
    return errc::corrupt;
  out = 0;
  for (const char c : bytes)
    out = (out << 8) | static_cast<std::uint8_t>(c);
  return {};
}

} // namespace muster::storage::records
