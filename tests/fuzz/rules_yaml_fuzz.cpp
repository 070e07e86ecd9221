// YAML from administrators and daemons: bounded, and what we write is read as it was meant.
#include "actors/rules/settings_yaml.hpp"

#include <muster/assert.hpp>

#include <cstddef>
#include <cstdint>
#include <string_view>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace muster::rules;
  const std::string_view text{reinterpret_cast<const char*>(data), size};
  text_problem problem;
  const auto documents = read_yaml(text, problem);
  MUSTER_ASSERT(documents || !problem.what.empty(), "refused YAML is explained");
  if (!documents)
    return 0;
  for (const auto& document : *documents) {
    const auto value = document.value();
    if (!problem_with(value).empty() || value.kind() == value_kind::null)
      continue;
    const auto again = settings_from_yaml(to_yaml(value), problem);
    MUSTER_ASSERT(again && *again == value, "our YAML is read as it was meant");
  }
  return 0;
}
