// The name of a run, off a device's disk or from its reports: one written form.
#include "actors/rules/task_run.hpp"

#include <muster/assert.hpp>

#include <cstddef>
#include <cstdint>
#include <string_view>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace muster::rules;
  const std::string_view text{reinterpret_cast<const char*>(data), size};
  (void)task_state_of(text);
  if (const auto run = task_run::from_text(text))
    MUSTER_ASSERT(run->text() == text, "a run has one name");
  return 0;
}
