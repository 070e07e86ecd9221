// Targets come from whoever may use the console: any text is a filter or a sentence.
#include "actors/rules/device_filter.hpp"

#include <muster/assert.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace muster::rules;
  const std::string_view text{reinterpret_cast<const char*>(data), size};
  std::string problem;
  const auto filter = device_filter::parse(text, problem);
  MUSTER_ASSERT(filter || !problem.empty(), "a refused target is explained");
  if (filter) {
    device_traits device;
    device.name = text;
    device.os_id = "debian";
    device.group = "eu/berlin";
    const std::string_view tags[] = {"laptop", text};
    device.tags = tags;
    (void)filter->kinds();
    (void)filter->matches(device);
  }
  return 0;
}
