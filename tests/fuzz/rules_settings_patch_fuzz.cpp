// A patch from the wire on a document that the device has: it is refused, or makes a document that keeps
// to the bounds.
#include "actors/rules/settings_codec.hpp"
#include "actors/rules/settings_diff.hpp"
#include "actors/rules/settings_json.hpp"

#include <muster/assert.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace muster::rules;
  static const auto before = [] {
    std::string problem;
    return settings_from_json(R"({"a": {"b": 1, "c": [1, 2, {"x": "y"}]}, "l": [[], "s"], "t": true})", problem);
  }();
  MUSTER_ASSERT(before, "the document is one");
  std::string problem;
  const auto after = apply_patch({reinterpret_cast<const char*>(data), size}, *before, problem);
  MUSTER_ASSERT(after || !problem.empty(), "a refused patch is explained");
  if (!after)
    return 0;
  MUSTER_ASSERT(problem_with(*after).empty(), "what a patch makes keeps to the bounds");
  const auto again = apply_patch(patch(*before, *after), *before, problem);
  MUSTER_ASSERT(again && *again == *after, "our own patch makes the same");
  auto replayed = *before;
  for (const auto& change : difference(*before, *after)) {
    const auto done = change.after ? set_at(replayed, change.path, *change.after, problem)
                                   : erase_at(replayed, change.path);
    MUSTER_ASSERT(done, "a difference can be carried out");
  }
  MUSTER_ASSERT(replayed == *after, "a difference says all");
  return 0;
}
