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

[[nodiscard]] inline raised_event_ptr make_event(severity how, const char* type, std::string text,
                                                 std::map<std::string, std::string> attributes) {
  return std::make_shared<const raised_event>(
    raised_event{how, type, std::move(text), std::move(attributes), 0});
}

} // namespace muster::actors
