#pragma once
// What keys.cpp builds keys from and takes them apart with. Nobody else includes this.
//
// RocksDB compares keys byte by byte, unsigned. Everything here keeps one promise: that order is
// the order of the parts, first part first. What a builder wrote a parser reads back, and it takes
// nothing that no builder writes: a key has one form (tests/fuzz/storage_keys_fuzz.cpp).

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

namespace muster::storage::keys {

/// A zero inside a text is written 00 FF, its end 00 01: a text comes before the one that goes on
/// with a zero, that before the one that goes on with anything else, as the texts themselves do. A
/// length in front would sort short texts first; a bare zero could not be told from one inside.
inline constexpr char escaped_zero = '\xff';
inline constexpr char end_of_text = '\x01';

/// Appends the parts of a key behind its tag. Use by one thread, once: done() takes the key away.
/// Parts are not marked: whoever reads the key must know which ones it has.
class builder {
public:
  /// `bytes` is a guess of the key's length; most keys fit into the default.
  explicit builder(char tag, std::size_t bytes = 32) {
    key_.reserve(bytes);
    key_.push_back(tag);
  }

  /// Big-endian, as wide as its type. The type is part of the key's layout: changing it changes
  /// every key on disk.
  template <class Number>
  builder& number(Number value) {
    static_assert(std::is_unsigned_v<Number>);
    for (int shift = std::numeric_limits<Number>::digits - 8; shift >= 0; shift -= 8)
      key_.push_back(static_cast<char>(static_cast<std::uint8_t>(value >> shift)));
    return *this;
  }

  /// Microseconds since 1970; what is before that counts as 1970, since a negative number would
  /// sort behind all others.
  builder& time(std::int64_t us) {
    return number(static_cast<std::uint64_t>(std::max<std::int64_t>(us, 0)));
  }

  /// Of fixed length (ids, hashes); not escaped.
  builder& bytes(std::span<const std::uint8_t> raw) {
    key_.append(reinterpret_cast<const char*>(raw.data()), raw.size());
    return *this;
  }

  /// Escaped, without its end: only as the last part of a key, or as the beginning of a range that
  /// holds all texts which begin with it.
  builder& open_text(std::string_view text) {
    for (const char c : text) {
      key_.push_back(c);
      if (c == '\0')
        key_.push_back(escaped_zero);
    }
    return *this;
  }

  /// Escaped and ended, so that other parts may follow and no text is a prefix of another.
  builder& text(std::string_view text) {
    open_text(text);
    key_.push_back('\0');
    key_.push_back(end_of_text);
    return *this;
  }

  /// As it is. Only as the last part: nothing tells where it ends but the key's end.
  builder& raw(std::string_view text) {
    key_.append(text);
    return *this;
  }

  std::string done() { return std::move(key_); }

private:
  std::string key_;
};

/// Takes the parts of a key off its front, in the builder's order. After a part that does not fit,
/// everything that follows is ignored and done() is false, so a chain of calls needs one question
/// at its end; what has been filled in by then is worth nothing. The key must outlive it.
class parser {
public:
  parser(std::string_view key, char tag) : rest_(key), good_(!key.empty() && key.front() == tag) {
    if (good_)
      rest_.remove_prefix(1);
  }

  template <class Number>
  parser& number(Number& out) {
    static_assert(std::is_unsigned_v<Number>);
    const auto part = take(sizeof(Number));
    out = 0;
    for (const char c : part)
      out =
        static_cast<Number>((static_cast<std::uint64_t>(out) << 8) | static_cast<std::uint8_t>(c));
    return *this;
  }

  /// No builder writes what does not fit into 63 bits.
  parser& time(std::int64_t& out) {
    std::uint64_t value = 0;
    number(value);
    good_ = good_ && value <= static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
    out = good_ ? static_cast<std::int64_t>(value) : 0;
    return *this;
  }

  template <std::size_t Size>
  parser& bytes(std::array<std::uint8_t, Size>& out) {
    const auto part = take(Size);
    std::transform(part.begin(), part.end(), out.begin(),
                   [](char c) { return static_cast<std::uint8_t>(c); });
    return *this;
  }

  /// Up to the text's end. A zero that is followed by neither mark is damage.
  parser& text(std::string& out) {
    while (good_) {
      const auto zero = rest_.find('\0');
      if (zero == std::string_view::npos || zero + 1 == rest_.size())
        return fail();
      out.append(rest_.substr(0, zero));
      const char mark = rest_[zero + 1];
      rest_.remove_prefix(zero + 2);
      if (mark == end_of_text)
        return *this;
      if (mark != escaped_zero)
        return fail();
      out.push_back('\0');
    }
    return *this;
  }

  /// Whatever is left, as raw() wrote it.
  parser& rest(std::string& out) {
    out = rest_;
    rest_ = {};
    return *this;
  }

  /// Everything fitted, and nothing is left.
  [[nodiscard]] bool done() const { return good_ && rest_.empty(); }

private:
  parser& fail() {
    good_ = false;
    return *this;
  }

  /// Empty when there is not that much.
  std::string_view take(std::size_t count) {
    if (!good_ || rest_.size() < count) {
      good_ = false;
      return {};
    }
    const auto part = rest_.substr(0, count);
    rest_.remove_prefix(count);
    return part;
  }

  std::string_view rest_;
  bool good_;
};

} // namespace muster::storage::keys
