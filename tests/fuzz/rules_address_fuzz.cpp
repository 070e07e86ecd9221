// Addresses and ranges in moving rules: strict, and written back as they were meant.
#include "actors/rules/address_range.hpp"

#include <muster/assert.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace muster::rules;
  const std::string_view text{reinterpret_cast<const char*>(data), size};
  if (const auto address = ip_address::parse(text))
    MUSTER_ASSERT(ip_address::parse(address->text()) == address, "an address survives its text");
  std::string problem;
  const auto range = address_range::parse(text, problem);
  MUSTER_ASSERT(range || !problem.empty(), "a refused range is explained");
  if (range) {
    MUSTER_ASSERT(address_range::parse(range->text(), problem) == range, "a range survives its text");
    MUSTER_ASSERT(range->contains(range->first), "a range contains its first address");
  }
  return 0;
}
