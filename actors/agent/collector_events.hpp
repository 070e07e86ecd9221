#pragma once
// What the collector's two source files share: how its events are made, where it keeps its memory.

#include "actors/messages.hpp"

#include <map>
#include <memory>
#include <string>
#include <utility>

namespace muster::actors {

/// In the agent's store, under storage::keys::setting().
namespace announced_settings {
inline constexpr const char* applications = "collector.applications";
inline constexpr const char* alarms = "collector.alarms";
} // namespace announced_settings

[[nodiscard]] inline std::shared_ptr<raised_event>
make_event(severity how, const char* type, std::string text,
           std::map<std::string, std::string> attributes) {
  auto out = std::make_shared<raised_event>();
  out->severity = how;
  out->type = type;
  out->text = std::move(text);
  out->attributes = std::move(attributes);
  return out;
}

} // namespace muster::actors
