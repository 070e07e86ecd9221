// Schedules and cron expressions from administrators and files: read and written back as they were meant,
// and always later than before.
#include "actors/rules/schedule.hpp"

#include <muster/assert.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace muster::rules;
  std::string problem;
  static const auto berlin = time_zone::find("Europe/Berlin", problem);
  MUSTER_ASSERT(berlin, "the machine has time zones");
  const std::string_view text{reinterpret_cast<const char*>(data), size};
  (void)time_zone::is_name(text);
  const auto read = schedule::parse(text, problem);
  MUSTER_ASSERT(read || !problem.empty(), "a refused schedule is explained");
  if (!read)
    return 0;
  const auto again = schedule::parse(read->text(), problem);
  MUSTER_ASSERT(again && *again == *read, "a schedule survives its text");
  utc_seconds at{std::chrono::seconds{1'774'700'000}}; // the day before clocks are set forward
  for (int i = 0; i < 5; ++i) {
    const auto next = next_due(*read, at, *berlin);
    MUSTER_ASSERT(!next || *next > at, "what is next is later");
    if (!next)
      break;
    at = *next;
  }
  return 0;
}
