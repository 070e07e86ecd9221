#include "apps/common/utf8.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <iterator>

namespace muster::utf8 {

namespace {

struct range {
  char32_t first;
  char32_t last;
};

/// Marks that sit on the character before them, and characters without a width (Unicode 15, the
/// scripts that have them in everyday use).
constexpr std::array no_width{
  range{0x0300, 0x036F},   range{0x0483, 0x0489}, range{0x0591, 0x05BD}, range{0x0610, 0x061A},
  range{0x064B, 0x065F},   range{0x06D6, 0x06DC}, range{0x0900, 0x0902}, range{0x093C, 0x093C},
  range{0x0941, 0x0948},   range{0x094D, 0x094D}, range{0x0E31, 0x0E31}, range{0x0E34, 0x0E3A},
  range{0x0E47, 0x0E4E},   range{0x1AB0, 0x1AFF}, range{0x1DC0, 0x1DFF}, range{0x200B, 0x200D},
  range{0x2060, 0x2060},   range{0x20D0, 0x20F0}, range{0x302A, 0x302D}, range{0x3099, 0x309A},
  range{0xFE00, 0xFE0F},   range{0xFE20, 0xFE2F}, range{0xFEFF, 0xFEFF}, range{0x1F3FB, 0x1F3FF},
  range{0xE0100, 0xE01EF},
};

constexpr std::array wide{
  range{0x1100, 0x115F},   range{0x231A, 0x231B},   range{0x23E9, 0x23EC},
  range{0x2614, 0x2615},   range{0x26A1, 0x26A1},   range{0x2705, 0x2705},
  range{0x274C, 0x274C},   range{0x2E80, 0x303E},   range{0x3041, 0x33FF},
  range{0x3400, 0x4DBF},   range{0x4E00, 0x9FFF},   range{0xA000, 0xA4CF},
  range{0xA960, 0xA97F},   range{0xAC00, 0xD7A3},   range{0xF900, 0xFAFF},
  range{0xFE30, 0xFE6F},   range{0xFF00, 0xFF60},   range{0xFFE0, 0xFFE6},
  range{0x1F300, 0x1F64F}, range{0x1F680, 0x1F6FF}, range{0x1F900, 0x1F9FF},
  range{0x1FA70, 0x1FAFF}, range{0x20000, 0x3FFFD},
};

template <std::size_t Count>
bool in(const std::array<range, Count>& ranges, char32_t c) {
  const auto after =
    std::upper_bound(ranges.begin(), ranges.end(), c,
                     [](char32_t value, const range& r) { return value < r.first; });
  return after != ranges.begin() && c <= std::prev(after)->last;
}

struct lead {
  std::size_t bytes;
  char32_t bits;
  char32_t smallest; ///< what needs so many bytes
};

std::optional<lead> lead_of(unsigned char byte) {
  if (byte >= 0xC2 && byte < 0xE0)
    return lead{2, byte & 0x1FU, 0x80};
  if (byte >= 0xE0 && byte < 0xF0)
    return lead{3, byte & 0x0FU, 0x800};
  if (byte >= 0xF0 && byte < 0xF5)
    return lead{4, byte & 0x07U, 0x10000};
  return std::nullopt;
}

} // namespace

std::optional<char32_t> take(std::string_view& text) {
  const auto first = static_cast<unsigned char>(text.front());
  if (first < 0x80) {
    text.remove_prefix(1);
    return first;
  }
  const auto form = lead_of(first);
  bool good = form && text.size() >= form->bytes;
  char32_t c = good ? form->bits : 0;
  for (std::size_t index = 1; good && index < form->bytes; ++index) {
    const auto byte = static_cast<unsigned char>(text[index]);
    good = (byte & 0xC0) == 0x80;
    c = (c << 6) | (byte & 0x3FU);
  }
  good = good && c >= form->smallest && c <= 0x10FFFF && (c < 0xD800 || c > 0xDFFF);
  text.remove_prefix(good ? form->bytes : 1);
  return good ? std::optional{c} : std::nullopt;
}

bool is_control(char32_t c) noexcept {
  return c < 0x20 || (c >= 0x7F && c < 0xA0) || (c >= 0x200E && c <= 0x200F) ||
         (c >= 0x2028 && c <= 0x202E) || (c >= 0x2066 && c <= 0x2069);
}

int columns(char32_t c) noexcept {
  if (c < 0x300)
    return 1;
  if (in(no_width, c))
    return 0;
  return in(wide, c) ? 2 : 1;
}

std::size_t columns(std::string_view text) {
  std::size_t sum = 0;
  while (!text.empty()) {
    const auto c = take(text);
    sum += static_cast<std::size_t>(c ? columns(*c) : 1);
  }
  return sum;
}

std::string clean(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    const auto before = text;
    const auto c = take(text);
    if (c && (*c == '\n' || *c == '\r' || *c == '\t'))
      out += ' ';
    else if (!c || is_control(*c))
      out += "\xEF\xBF\xBD";
    else
      out += before.substr(0, before.size() - text.size());
  }
  return out;
}

std::string cut(std::string_view text, std::size_t width) {
  if (columns(text) <= width)
    return std::string(text);
  if (width == 0)
    return {};
  std::string out;
  std::size_t used = 0;
  while (!text.empty()) {
    const auto before = text;
    const auto c = take(text);
    const auto needed = static_cast<std::size_t>(c ? columns(*c) : 1);
    if (used + needed > width - 1)
      break;
    out += before.substr(0, before.size() - text.size());
    used += needed;
  }
  return out + "…";
}

} // namespace muster::utf8
