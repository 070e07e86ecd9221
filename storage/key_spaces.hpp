#pragma once
// The letters of all key spaces, and the forms that several of them share. For keys*.cpp only.

#include "storage/key_bytes.hpp"
#include "storage/keys.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace muster::storage::keys {

// One letter per key space. Never reuse one that was ever released.
namespace tag {
constexpr char schema = 'S';
constexpr char user = 'u';
constexpr char token = 't';
constexpr char setting = 's';
constexpr char group = 'g';
constexpr char fleet_object = 'f';
constexpr char fleet_history = 'h';
constexpr char device = 'd';
constexpr char device_report = 'r';
constexpr char removal = 'x';
constexpr char key_hash = 'k';
constexpr char assignment = 'g';
constexpr char own_settings = 'o';
constexpr char position = 'p';
constexpr char section = 's';
constexpr char application = 'a';
constexpr char device_event = 'e';
constexpr char event = 'b';
constexpr char audit = 'a';
constexpr char spooled = 'q';
constexpr char document = 'd';
constexpr char applied_settings = 'a';
} // namespace tag

inline std::string named(char tag, std::string_view name) {
  return builder(tag, 1 + name.size()).raw(name).done();
}

inline std::optional<std::string> parse_named(char tag, std::string_view key) {
  std::string name;
  return parser(key, tag).rest(name).done() ? std::optional(std::move(name)) : std::nullopt;
}

template <std::size_t Size>
std::optional<std::array<std::uint8_t, Size>> parse_bytes(char tag, std::string_view key) {
  std::array<std::uint8_t, Size> out{};
  return parser(key, tag).bytes(out).done() ? std::optional(out) : std::nullopt;
}

inline key_range tagged(char tag) {
  return beginning_with(std::string(1, tag));
}

} // namespace muster::storage::keys
