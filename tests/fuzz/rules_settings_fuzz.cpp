// Settings documents as bytes, as JSON, and paths into them: what is read keeps to the bounds, and is
// written back as it was.
#include "actors/rules/settings_codec.hpp"
#include "actors/rules/settings_json.hpp"
#include "actors/rules/settings_path.hpp"

#include <muster/assert.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

using namespace muster::rules;

namespace {

void from_bytes(std::string_view bytes) {
  std::string problem;
  const auto value = settings_from_bytes(bytes, problem);
  MUSTER_ASSERT(value || !problem.empty(), "refused bytes are explained");
  if (!value)
    return;
  MUSTER_ASSERT(to_bytes(*value) == bytes, "there is one way to write a document");
  MUSTER_ASSERT(problem_with(*value).empty(), "what is read keeps to the bounds");
}

void from_json(std::string_view text) {
  std::string problem;
  const auto value = settings_from_json(text, problem);
  MUSTER_ASSERT(value || !problem.empty(), "refused JSON is explained");
  if (!value)
    return;
  MUSTER_ASSERT(problem_with(*value).empty(), "what is read keeps to the bounds");
  const auto again = settings_from_json(to_json(*value), problem);
  MUSTER_ASSERT(again && *again == *value, "JSON of ours is read as it was meant");
  const auto bytes = settings_from_bytes(to_bytes(*value), problem);
  MUSTER_ASSERT(bytes && *bytes == *value, "bytes of ours are read as they were meant");
}

void from_path(std::string_view text) {
  std::string problem;
  const auto path = settings_path::parse(text, problem);
  MUSTER_ASSERT(path || !problem.empty(), "a refused path is explained");
  if (!path)
    return;
  const auto again = settings_path::parse(path->text(), problem);
  MUSTER_ASSERT(again ? *again == *path : path->text().size() > settings_path::text_bytes_max,
                "a path survives its text");
  auto document = settings_value::empty_map();
  if (set_at(document, *path, 1, problem))
    MUSTER_ASSERT(value_at(document, *path) != nullptr, "what was set is there");
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0)
    return 0;
  const std::string_view rest{reinterpret_cast<const char*>(data) + 1, size - 1};
  switch (data[0] % 3) {
    case 0: from_bytes(rest); break;
    case 1: from_json(rest); break;
    default: from_path(rest); break;
  }
  return 0;
}
