#include "actors/rules/settings_codec.hpp"

#include <algorithm>
#include <bit>
#include <cmath>

namespace muster::rules {

namespace {

constexpr std::uint8_t format_version = 1;

std::uint64_t zigzag(std::int64_t number) noexcept {
  const auto bits = static_cast<std::uint64_t>(number);
  return (bits << 1) ^ (number < 0 ? ~std::uint64_t{0} : 0);
}

std::int64_t unzigzag(std::uint64_t bits) noexcept {
  return static_cast<std::int64_t>((bits >> 1) ^ ((bits & 1) != 0 ? ~std::uint64_t{0} : 0));
}

std::size_t number_bytes(std::uint64_t number) noexcept {
  std::size_t bytes = 1;
  for (; number >= 0x80; number >>= 7)
    ++bytes;
  return bytes;
}

} // namespace

namespace settings_codec {

void put_number(std::string& out, std::uint64_t number) {
  for (; number >= 0x80; number >>= 7)
    out.push_back(static_cast<char>(0x80 | (number & 0x7f)));
  out.push_back(static_cast<char>(number));
}

void put_text(std::string& out, std::string_view text) {
  put_number(out, text.size());
  out.append(text);
}

void put_value(std::string& out, const settings_value& value) {
  switch (value.kind()) {
    case value_kind::null: out.push_back('n'); break;
    case value_kind::boolean: out.push_back(*value.as_boolean() ? 't' : 'f'); break;
    case value_kind::integer:
      out.push_back('i');
      put_number(out, zigzag(*value.as_integer()));
      break;
    case value_kind::real: {
      out.push_back('r');
      const auto bits = std::bit_cast<std::uint64_t>(*value.as_real());
      for (int shift = 56; shift >= 0; shift -= 8)
        out.push_back(static_cast<char>(bits >> shift));
      break;
    }
    case value_kind::text:
      out.push_back('s');
      put_text(out, *value.as_text());
      break;
    case value_kind::list:
      out.push_back('l');
      put_number(out, value.as_list()->size());
      for (const auto& item : *value.as_list())
        put_value(out, item);
      break;
    case value_kind::map:
      out.push_back('m');
      put_number(out, value.as_map()->size());
      for (const auto& entry : *value.as_map()) {
        put_text(out, entry.name);
        put_value(out, entry.value);
      }
      break;
  }
}

std::size_t own_bytes(const settings_value& value) noexcept {
  switch (value.kind()) {
    case value_kind::null:
    case value_kind::boolean: return 1;
    case value_kind::integer: return 1 + number_bytes(zigzag(*value.as_integer()));
    case value_kind::real: return 9;
    case value_kind::text: return 1 + name_bytes(*value.as_text());
    case value_kind::list: return 1 + number_bytes(value.as_list()->size());
    case value_kind::map: return 1 + number_bytes(value.as_map()->size());
  }
  return 0;
}

std::size_t name_bytes(std::string_view name) noexcept {
  return number_bytes(name.size()) + name.size();
}

std::nullopt_t reader::fail(std::string_view why) {
  if (problem_.empty())
    problem_ = why;
  rest_ = {};
  return std::nullopt;
}

std::optional<std::uint8_t> reader::byte() {
  if (rest_.empty())
    return fail("it is cut short");
  const auto out = static_cast<std::uint8_t>(rest_.front());
  rest_.remove_prefix(1);
  return out;
}

std::optional<std::uint64_t> reader::number() {
  std::uint64_t out = 0;
  for (int shift = 0; shift < 64; shift += 7) {
    const auto group = byte();
    if (!group)
      return std::nullopt;
    const std::uint64_t bits = *group & 0x7f;
    if (shift == 63 && bits > 1)
      return fail("a number is too large");
    out |= bits << shift;
    if (*group < 0x80) {
      if (bits == 0 && shift > 0)
        return fail("a number is not in its shortest form");
      return out;
    }
  }
  return fail("a number is too long");
}

std::optional<std::size_t> reader::count(std::size_t bytes_each) {
  const auto things = number();
  if (!things)
    return std::nullopt;
  if (*things > rest_.size() / bytes_each)
    return fail("it is cut short");
  return static_cast<std::size_t>(*things);
}

std::optional<std::string_view> reader::text() {
  const auto bytes = count(1);
  if (!bytes)
    return std::nullopt;
  const auto out = rest_.substr(0, *bytes);
  if (!is_utf8(out))
    return fail("a text is not UTF-8");
  rest_.remove_prefix(*bytes);
  return out;
}

std::optional<std::string_view> reader::name() {
  auto out = text();
  if (out && out->size() > settings_limits::name_bytes_max)
    return fail("a name is too long");
  return out;
}

std::optional<settings_value> reader::value(std::size_t depth) {
  if (depth > settings_limits::depth_max)
    return fail("it is nested too deeply");
  if (++nodes_ > settings_limits::nodes_max)
    return fail("it has too many values");
  const auto tag = byte();
  if (!tag)
    return std::nullopt;
  switch (*tag) {
    case 'n': return settings_value{};
    case 'f': return settings_value{false};
    case 't': return settings_value{true};
    case 'i': {
      const auto bits = number();
      return bits ? std::optional{settings_value{unzigzag(*bits)}} : std::nullopt;
    }
    case 'r': {
      std::uint64_t bits = 0;
      for (int i = 0; i < 8; ++i) {
        const auto next = byte();
        if (!next)
          return std::nullopt;
        bits = bits << 8 | *next;
      }
      const auto real = std::bit_cast<double>(bits);
      if (!std::isfinite(real) || (real == 0 && std::signbit(real)))
        return fail("a number is not one that is written so");
      return settings_value{real};
    }
    case 's': {
      const auto words = text();
      return words ? std::optional{settings_value{std::string{*words}}} : std::nullopt;
    }
    case 'l': return list(depth);
    case 'm': return map(depth);
    default: return fail("it has a value of an unknown kind");
  }
}

std::optional<settings_value> reader::list(std::size_t depth) {
  const auto items = count(1);
  if (!items)
    return std::nullopt;
  if (*items > settings_limits::nodes_max)
    return fail("it has too many values");
  settings_value::list out;
  out.reserve(std::min<std::size_t>(*items, 64)); // nested counts must not multiply
  for (std::size_t i = 0; i < *items; ++i) {
    auto item = value(depth + 1);
    if (!item)
      return std::nullopt;
    out.push_back(std::move(*item));
  }
  return settings_value{std::move(out)};
}

std::optional<settings_value> reader::map(std::size_t depth) {
  const auto entries = count(2);
  if (!entries)
    return std::nullopt;
  if (*entries > settings_limits::nodes_max)
    return fail("it has too many values");
  auto out = settings_value::empty_map();
  auto& map = *out.as_map();
  map.reserve(std::min<std::size_t>(*entries, 64));
  for (std::size_t i = 0; i < *entries; ++i) {
    const auto under = name();
    if (!under)
      return std::nullopt;
    if (!map.empty() && map.back().name >= *under)
      return fail("names are not in order");
    auto below = value(depth + 1);
    if (!below)
      return std::nullopt;
    map.push_back({std::string{*under}, std::move(*below)});
  }
  return out;
}

} // namespace settings_codec

std::string to_bytes(const settings_value& value) {
  std::string out;
  out.push_back(static_cast<char>(format_version));
  settings_codec::put_value(out, value);
  return out;
}

std::optional<settings_value> settings_from_bytes(std::string_view bytes, std::string& problem) {
  settings_codec::reader in{bytes};
  if (bytes.size() > settings_limits::bytes_max) {
    problem = "it is larger than " + std::to_string(settings_limits::bytes_max) + " bytes";
    return std::nullopt;
  }
  std::optional<settings_value> out;
  if (const auto version = in.byte()) {
    if (*version == format_version)
      out = in.value(1);
    else
      in.fail("it is of an unknown version");
  }
  if (out && !in.at_end())
    out = in.fail("something follows its end");
  if (!out)
    problem = in.problem();
  return out;
}

} // namespace muster::rules
