#include "actors/server/fleet_messages.hpp"

#include <algorithm>

namespace muster::actors {

std::string tag_problem(std::string_view tag) {
  constexpr std::size_t bytes_max = 64;
  const auto plain = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); };
  if (tag.empty() || tag.size() > bytes_max)
    return "a tag must have 1 to 64 characters";
  const bool good = plain(tag.front()) && std::all_of(tag.begin(), tag.end(), [&](char c) {
                      return plain(c) || c == '-' || c == '_' || c == '.';
                    });
  return good ? "" : "a tag may have lower case letters, digits and \"-_.\", with a letter or digit in front";
}

} // namespace muster::actors
