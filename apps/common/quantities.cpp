#include "apps/common/quantities.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>
#include <system_error>

namespace muster {

namespace {

struct duration_unit {
  std::string_view name;
  std::int64_t milliseconds;
};

constexpr std::array duration_units{
  duration_unit{"w", 7LL * 24 * 3600 * 1000},
  duration_unit{"d", 24LL * 3600 * 1000},
  duration_unit{"h", 3600LL * 1000},
  duration_unit{"m", 60LL * 1000},
  duration_unit{"s", 1000},
  duration_unit{"ms", 1},
};
constexpr std::int64_t duration_max_ms = 100LL * 365 * 24 * 3600 * 1000;

constexpr std::array<std::string_view, 5> size_units{"b", "kb", "mb", "gb", "tb"};
constexpr std::uint64_t size_max = std::uint64_t{1} << 62;

/// Takes a whole number off the front.
std::optional<std::int64_t> take_number(std::string_view& text) {
  if (text.empty() || text.front() < '0' || text.front() > '9')
    return std::nullopt;
  std::int64_t number = 0;
  const auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (ec != std::errc{})
    return std::nullopt;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  return number;
}

bool letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/// Takes letters off the front.
std::string_view take_word(std::string_view& text) {
  const auto end = std::find_if_not(text.begin(), text.end(), letter);
  const auto word = text.substr(0, static_cast<std::size_t>(end - text.begin()));
  text.remove_prefix(word.size());
  return word;
}

} // namespace

std::optional<std::chrono::milliseconds> parse_duration(std::string_view text) {
  if (text == "0")
    return std::chrono::milliseconds{0};
  if (text.empty())
    return std::nullopt;
  std::int64_t sum = 0;
  while (!text.empty()) {
    const auto number = take_number(text);
    const auto word = take_word(text);
    const auto unit = std::find_if(duration_units.begin(), duration_units.end(),
                                   [&](const auto& u) { return u.name == word; });
    if (!number || unit == duration_units.end() || *number > duration_max_ms / unit->milliseconds)
      return std::nullopt;
    sum += *number * unit->milliseconds;
    if (sum > duration_max_ms)
      return std::nullopt;
  }
  return std::chrono::milliseconds{sum};
}

std::string format_duration(std::chrono::milliseconds d) {
  std::int64_t rest = d.count();
  if (rest <= 0)
    return "0s";
  std::string text;
  for (const auto& unit : duration_units) {
    // Weeks are read but not written: nobody thinks of 90 days as 12w6d.
    if (unit.name == "w" || rest < unit.milliseconds)
      continue;
    text += std::to_string(rest / unit.milliseconds);
    text += unit.name;
    rest %= unit.milliseconds;
  }
  return text;
}

std::optional<std::uint64_t> parse_size(std::string_view text) {
  const auto number = take_number(text);
  if (!number)
    return std::nullopt;
  std::string word{take_word(text)};
  if (!text.empty())
    return std::nullopt;
  std::transform(word.begin(), word.end(), word.begin(),
                 [](char c) { return c < 'a' ? static_cast<char>(c - 'A' + 'a') : c; });
  if (word.size() == 3 && word[1] == 'i')
    word.erase(1, 1);
  const auto unit = std::find(size_units.begin(), size_units.end(), word.empty() ? "b" : word);
  if (unit == size_units.end())
    return std::nullopt;
  const auto shift = 10 * static_cast<unsigned>(unit - size_units.begin());
  const auto value = static_cast<std::uint64_t>(*number);
  if (value > (size_max >> shift))
    return std::nullopt;
  return value << shift;
}

std::string format_size(std::uint64_t bytes) {
  constexpr std::array<std::string_view, 5> names{"B", "KB", "MB", "GB", "TB"};
  std::size_t unit = 0;
  while (unit + 1 < names.size() && bytes != 0 && bytes % 1024 == 0) {
    bytes /= 1024;
    ++unit;
  }
  return std::to_string(bytes) + std::string(names[unit]);
}

} // namespace muster
