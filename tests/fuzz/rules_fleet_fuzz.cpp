// The fleet as files: each problem is one line; what is exported is read back as the same, and then there is
// nothing to do.
#include "actors/rules/fleet_document.hpp"
#include "actors/rules/fleet_plan.hpp"

#include <muster/assert.hpp>

#include <cstddef>
#include <cstdint>
#include <set>
#include <string_view>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace muster::rules;
  const auto read = read_fleet({reinterpret_cast<const char*>(data), size}, "f");
  for (const auto& problem : read.problems)
    MUSTER_ASSERT(problem.starts_with("f:") && problem.find('\n') == std::string::npos, "a problem is one line");
  std::set<fleet_key> keys;
  for (const auto& object : read.objects)
    if (!keys.insert(object.key()).second)
      return 0; // one of two of the same name is refused by the plan
  const auto again = read_fleet(export_fleet(read.objects), "g");
  MUSTER_ASSERT(again.problems.empty(), "what is exported can be read");
  const auto plan = plan_fleet(again.objects, read.objects, true);
  MUSTER_ASSERT(plan.steps.empty() && plan.unchanged == read.objects.size(), "and says the same");
  return 0;
}
