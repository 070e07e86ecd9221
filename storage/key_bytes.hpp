#pragma once
// What keys.cpp builds keys from and takes them apart with. Nobody else includes this.

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

/// A zero inside a text is written 00 FF, its end 00 01.
inline constexpr char escaped_zero = '\xff';
inline constexpr char end_of_text = '\x01';

/// Appends the parts of a key. Use by one thread, once.
class builder {
public:
  explicit builder(char tag, std::size_t bytes = 32) {
    key_.reserve(bytes);
    key_.push_back(tag);
  }

  template <class Number>
  builder& number(Number value) {
    static_assert(std::is_unsigned_v<Number>);
    for (int shift = std::numeric_limits<Number>::digits - 8; shift >= 0; shift -= 8)
      key_.push_back(static_cast<char>(static_cast<std::uint8_t>(value >> shift)));
    return *this;
  }

  builder& time(std::int64_t us) {
    return number(static_cast<std::uint64_t>(std::max<std::int64_t>(us, 0)));
  }

  builder& bytes(std::span<const std::uint8_t> raw) {
    key_.append(reinterpret_cast<const char*>(raw.data()), raw.size());
    return *this;
  }

  /// Only as the last part of a key, or as the beginning of a range.
  builder& open_text(std::string_view text) {
    for (const char c : text) {
      key_.push_back(c);
      if (c == '\0')
        key_.push_back(escaped_zero);
    }
    return *this;
  }

  builder& text(std::string_view text) {
    open_text(text);
    key_.push_back('\0');
    key_.push_back(end_of_text);
    return *this;
  }

  builder& raw(std::string_view text) {
    key_.append(text);
    return *this;
  }

  std::string done() { return std::move(key_); }

private:
  std::string key_;
};

/// Takes the parts of a key off its front. After a part that does not fit, everything that follows
/// is ignored and done() is false. The key must outlive it.
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

  parser& rest(std::string& out) {
    out = rest_;
    rest_ = {};
    return *this;
  }

  [[nodiscard]] bool done() const { return good_ && rest_.empty(); }

private:
  parser& fail() {
    good_ = false;
    return *this;
  }

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
