#pragma once
// Schedules and time zones for tests, written down.

#include "actors/rules/schedule.hpp"
#include "actors/rules/time_zone.hpp"

#include <doctest/doctest.h>

#include <string>
#include <string_view>

namespace muster::test {

inline rules::time_zone zone(std::string_view name) {
  std::string problem;
  auto out = rules::time_zone::find(name, problem);
  REQUIRE_MESSAGE(out, problem);
  return *out;
}

inline rules::schedule read(std::string_view text) {
  std::string problem;
  auto out = rules::schedule::parse(text, problem);
  REQUIRE_MESSAGE(out, (std::string{text} + ": " + problem));
  return *out;
}

} // namespace muster::test
