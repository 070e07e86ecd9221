#include "actors/server/device_tags.hpp"

#include "actors/server/fleet_messages.hpp"

#include <set>

namespace muster::actors {

std::vector<std::string_view> split_tags(std::string_view text) {
  std::vector<std::string_view> out;
  while (!text.empty()) {
    const auto space = text.find(' ');
    out.push_back(text.substr(0, space));
    text = space == std::string_view::npos ? std::string_view{} : text.substr(space + 1);
  }
  return out;
}

std::vector<std::string> changed_tags(std::string_view text, std::span<const std::string> added,
                                      std::span<const std::string> removed) {
  const auto before = split_tags(text);
  std::set<std::string> out(before.begin(), before.end());
  out.insert(added.begin(), added.end());
  for (const auto& tag : removed)
    out.erase(tag);
  return {out.begin(), out.end()};
}

std::string join_tags(std::span<const std::string> tags) {
  std::string out;
  for (const auto& tag : tags)
    out.append(out.empty() ? "" : " ").append(tag);
  return out;
}

std::string tags_problem(std::span<const std::string> added, std::span<const std::string> removed) {
  for (const auto tags : {added, removed})
    for (const auto& tag : tags)
      if (auto problem = tag_problem(tag); !problem.empty())
        return "'" + tag + "' is no tag: " + problem;
  return {};
}

} // namespace muster::actors
