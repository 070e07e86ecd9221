// Requests come from any program of the machine: any text is a request or a sentence.
#include "actors/agent/limits.hpp"
#include "actors/agent/local_request.hpp"

#include <muster/assert.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace muster::actors;
  const std::string_view text{reinterpret_cast<const char*>(data), size};
  std::string problem;
  const auto order = parse_local_request(text, problem);
  MUSTER_ASSERT(order.has_value() == problem.empty(), "a refused request is explained");
  if (order && order->what == local_order::kind::event) {
    const auto& event = order->event;
    MUSTER_ASSERT(event.type.starts_with("local."), "the type says where it came from");
    MUSTER_ASSERT(event.type.size() <= limits::event_type_bytes_max, "types are bounded");
    MUSTER_ASSERT(event.text.size() <= limits::event_text_bytes_max, "texts are bounded");
    MUSTER_ASSERT(event.attributes.size() <= limits::event_attributes_max, "attributes are bounded");
    for (const auto& [key, value] : event.attributes)
      MUSTER_ASSERT(!key.starts_with("local."), "nobody signs with another's name");
    std::string again;
    MUSTER_ASSERT(parse_local_request(local_event_request(event), again)
                    || local_event_request(event).size() > 4096,
                  "what was understood can be said");
  }
  const auto answer = parse_local_answer(text);
  MUSTER_ASSERT(answer.ok || !answer.error.empty(), "a refusal has a reason");
  MUSTER_ASSERT(answer.status.wakes_refused.size() <= limits::local_reasons_max, "reasons are bounded");
  const auto again = status_answer(answer.status);
  MUSTER_ASSERT(status_answer(parse_status_answer(again)) == again, "a status can be said");
  const auto lines = status_lines(answer.status, 1'800'000'000'000'000);
  MUSTER_ASSERT(lines.find('\x1b') == std::string::npos, "a terminal is told nothing but text");
  return 0;
}
