#pragma once
// Fields of a record, written by hand: protobuf's notation without protobuf's objects. For what is
// written hundreds of thousands of times a second and read seldom (events); everything else goes
// through records::encode(). Field numbers come from the schema (record::event::kTextFieldNumber),
// and tests hold what is written here against what protobuf makes of it.
//
// A record is described once, as a function template that takes either of the two classes: first
// the counter tells how many bytes it will be, then the writer fills exactly these.

#include "storage/records.hpp"

#include <bit>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace muster::storage::records {

enum class wire_type : std::uint8_t { varint = 0, fixed64 = 1, delimited = 2 };

[[nodiscard]] constexpr std::uint64_t tag_of(int field, wire_type type) noexcept {
  return static_cast<std::uint64_t>(field) << 3 | static_cast<std::uint64_t>(type);
}

/// How many bytes a number takes: seven bits in each.
[[nodiscard]] constexpr std::size_t varint_bytes(std::uint64_t number) noexcept {
  return static_cast<std::size_t>(std::bit_width(number | 1) + 6) / 7;
}

/// A field `sintN`: small numbers are short on both sides of zero.
[[nodiscard]] constexpr std::uint64_t zigzag(std::int64_t number) noexcept {
  return static_cast<std::uint64_t>(number) << 1 ^ static_cast<std::uint64_t>(number >> 63);
}

/// Content of an entry of map<string, string>: the fields 1 and 2, there even when empty.
[[nodiscard]] constexpr std::size_t entry_bytes(std::string_view key, std::string_view value) {
  return 2 + varint_bytes(key.size()) + key.size() + varint_bytes(value.size()) + value.size();
}

/// Counts. Fields that are zero or empty are left out, as proto3 does.
class field_counter {
public:
  void number(int field, std::uint64_t value) {
    if (value != 0)
      bytes_ += varint_bytes(tag_of(field, wire_type::varint)) + varint_bytes(value);
  }
  void fixed64(int field, std::uint64_t value) {
    if (value != 0)
      bytes_ += varint_bytes(tag_of(field, wire_type::fixed64)) + 8;
  }
  void raw(int field, std::string_view value) {
    if (!value.empty())
      bytes_ += delimited(field, value.size());
  }
  /// Cleaning leaves the length as it is.
  void text(int field, std::string_view value) { raw(field, value); }
  void entry(int field, std::string_view key, std::string_view value) {
    bytes_ += delimited(field, entry_bytes(key, value));
  }

  [[nodiscard]] std::size_t bytes() const noexcept { return bytes_; }

private:
  static std::size_t delimited(int field, std::size_t size) {
    return varint_bytes(tag_of(field, wire_type::delimited)) + varint_bytes(size) + size;
  }

  std::size_t bytes_ = 0;
};

/// Writes to where there is room for what the counter said. Texts are cleaned on the way
/// (records::clean_text).
class field_writer {
public:
  explicit field_writer(char* to) : at_(to) {}

  void number(int field, std::uint64_t value) {
    if (value == 0)
      return;
    varint(tag_of(field, wire_type::varint));
    varint(value);
  }
  void fixed64(int field, std::uint64_t value) {
    if (value == 0)
      return;
    varint(tag_of(field, wire_type::fixed64));
    for (int shift = 0; shift < 64; shift += 8)
      byte(value >> shift);
  }
  void raw(int field, std::string_view value) {
    if (value.empty())
      return;
    delimited(field, value.size());
    at_ += value.copy(at_, value.size());
  }
  void text(int field, std::string_view value) {
    if (!value.empty())
      always(field, value);
  }
  void entry(int field, std::string_view key, std::string_view value) {
    delimited(field, entry_bytes(key, value));
    always(1, key);
    always(2, value);
  }
  /// The head of a message inside a message; its fields are to follow.
  void delimited(int field, std::size_t size) {
    varint(tag_of(field, wire_type::delimited));
    varint(size);
  }

  [[nodiscard]] char* end() const noexcept { return at_; }

private:
  void byte(std::uint64_t value) { *at_++ = static_cast<char>(static_cast<std::uint8_t>(value)); }
  void varint(std::uint64_t value) {
    for (; value >= 0x80; value >>= 7)
      byte(value | 0x80);
    byte(value);
  }
  void always(int field, std::string_view value) {
    delimited(field, value.size());
    copy_clean_text(at_, value);
    at_ += value.size();
  }

  char* at_;
};

} // namespace muster::storage::records
