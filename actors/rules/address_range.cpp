#include "actors/rules/address_range.hpp"

#include <algorithm>
#include <charconv>

namespace muster::rules {

namespace {

constexpr std::array<std::uint8_t, 12> v4_prefix{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
constexpr std::size_t text_bytes_max = 64;

/// A whole text as a number of few digits.
std::optional<unsigned> number_of(std::string_view text, std::size_t digits_max,
                                  int base) noexcept {
  unsigned out = 0;
  const auto* end = text.data() + text.size();
  if (text.empty() || text.size() > digits_max)
    return std::nullopt;
  const auto [at, ec] = std::from_chars(text.data(), end, out, base);
  return ec == std::errc{} && at == end ? std::optional{out} : std::nullopt;
}

/// Four numbers into the last four bytes that `out` points to.
bool parse_v4(std::string_view text, std::uint8_t* out) noexcept {
  for (int i = 0; i < 4; ++i) {
    const auto dot = i < 3 ? text.find('.') : text.size();
    if (dot == std::string_view::npos)
      return false;
    const auto part = text.substr(0, dot);
    const auto number = number_of(part, 3, 10);
    if (!number || *number > 255 || (part.size() > 1 && part.front() == '0'))
      return false;
    out[i] = static_cast<std::uint8_t>(*number);
    text.remove_prefix(std::min(dot + 1, text.size()));
  }
  return true;
}

/// Groups divided by colons, the last perhaps as IPv4; how many bytes they gave, or empty.
std::optional<std::size_t> parse_groups(std::string_view text,
                                        std::array<std::uint8_t, 16>& out) noexcept {
  std::size_t bytes = 0;
  if (text.empty())
    return bytes;
  while (true) {
    const auto colon = text.find(':');
    const auto part = text.substr(0, colon);
    if (part.find('.') != std::string_view::npos) {
      if (colon != std::string_view::npos || bytes > 12 || !parse_v4(part, &out[bytes]))
        return std::nullopt;
      return bytes + 4;
    }
    const auto group = number_of(part, 4, 16);
    if (!group || bytes == 16)
      return std::nullopt;
    out[bytes++] = static_cast<std::uint8_t>(*group >> 8);
    out[bytes++] = static_cast<std::uint8_t>(*group);
    if (colon == std::string_view::npos)
      return bytes;
    text.remove_prefix(colon + 1);
  }
}

} // namespace

bool ip_address::is_v4() const noexcept {
  return std::equal(v4_prefix.begin(), v4_prefix.end(), bytes.begin());
}

std::optional<ip_address> ip_address::parse(std::string_view text) noexcept {
  ip_address out;
  if (text.size() > text_bytes_max)
    return std::nullopt;
  if (text.find(':') == std::string_view::npos) {
    std::copy(v4_prefix.begin(), v4_prefix.end(), out.bytes.begin());
    return parse_v4(text, &out.bytes[12]) ? std::optional{out} : std::nullopt;
  }
  const auto gap = text.find("::");
  const auto front = parse_groups(text.substr(0, gap), out.bytes);
  if (gap == std::string_view::npos)
    return front == 16 ? std::optional{out} : std::nullopt;
  std::array<std::uint8_t, 16> tail{};
  const auto back = parse_groups(text.substr(gap + 2), tail);
  if (!front || !back || *front + *back > 14)
    return std::nullopt;
  if (text.substr(0, gap).find('.') != std::string_view::npos)
    return std::nullopt; // IPv4 stands at the end only
  std::fill(out.bytes.begin() + static_cast<std::ptrdiff_t>(*front), out.bytes.end(),
            std::uint8_t{0});
  std::copy_n(tail.begin(), *back, out.bytes.end() - static_cast<std::ptrdiff_t>(*back));
  return out;
}

std::string ip_address::text() const {
  if (is_v4())
    return std::to_string(bytes[12]) + "." + std::to_string(bytes[13]) + "." +
           std::to_string(bytes[14]) + "." + std::to_string(bytes[15]);
  std::array<unsigned, 8> groups{};
  for (std::size_t i = 0; i < 8; ++i)
    groups[i] = static_cast<unsigned>(bytes[2 * i] << 8 | bytes[2 * i + 1]);
  std::size_t gap = 8;
  std::size_t gap_length = 1; // a single zero is written
  for (std::size_t i = 0; i < 8; ++i) {
    std::size_t length = 0;
    while (i + length < 8 && groups[i + length] == 0)
      ++length;
    if (length > gap_length) {
      gap = i;
      gap_length = length;
    }
  }
  std::string out;
  for (std::size_t i = 0; i < 8; ++i) {
    if (i == gap) {
      out += "::";
      i += gap_length - 1;
      continue;
    }
    if (!out.empty() && out.back() != ':')
      out += ':';
    char digits[4];
    const auto end = std::to_chars(digits, digits + 4, groups[i], 16).ptr;
    out.append(digits, end);
  }
  return out;
}

std::optional<address_range> address_range::parse(std::string_view text, std::string& problem) {
  const auto slash = text.find('/');
  const auto address = ip_address::parse(text.substr(0, slash));
  if (!address) {
    problem = "it is no address and no range such as 10.1.0.0/16 or 2001:db8::/32";
    return std::nullopt;
  }
  address_range out{*address, 128};
  if (slash != std::string_view::npos) {
    const unsigned bits_max = address->is_v4() ? 32 : 128;
    const auto bits = number_of(text.substr(slash + 1), 3, 10);
    if (!bits || *bits > bits_max) {
      problem = "behind the slash stands a number up to " + std::to_string(bits_max);
      return std::nullopt;
    }
    out.prefix_bits = static_cast<std::uint8_t>(128 - bits_max + *bits);
  }
  for (unsigned bit = out.prefix_bits; bit < 128; ++bit)
    if ((address->bytes[bit / 8] >> (7 - bit % 8) & 1) != 0) {
      problem = "it has bits set behind its prefix";
      return std::nullopt;
    }
  return out;
}

std::string address_range::text() const {
  if (prefix_bits == 128)
    return first.text();
  // A range of IPv6 that begins as IPv4 does, but is wider, is none of IPv4.
  const unsigned bits = first.is_v4() && prefix_bits >= 96 ? prefix_bits - 96U : prefix_bits;
  return first.text() + "/" + std::to_string(bits);
}

bool address_range::contains(const ip_address& address) const noexcept {
  const std::size_t whole = prefix_bits / 8;
  if (!std::equal(first.bytes.begin(), first.bytes.begin() + static_cast<std::ptrdiff_t>(whole),
                  address.bytes.begin()))
    return false;
  const unsigned rest = prefix_bits % 8;
  return rest == 0 || (first.bytes[whole] ^ address.bytes[whole]) >> (8 - rest) == 0;
}

} // namespace muster::rules
