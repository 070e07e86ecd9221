#include "tests/system/store_view.hpp"

#include "storage/keys.hpp"
#include "storage/records.hpp"
#include "storage/rocks_store.hpp"

#include <doctest/doctest.h>

#include <algorithm>

namespace muster::test {

events_by_device read_stored_events(const std::filesystem::path& data) {
  std::error_code ec;
  std::string problem;
  const auto db = storage::open_rocks_store({.directory = data / "store"}, ec, problem);
  REQUIRE_MESSAGE(db != nullptr, problem);
  events_by_device out;
  ec = db->scan(storage::family::events, {}, false, [&](auto, auto value) {
    storage::record::event_block block;
    REQUIRE_FALSE(storage::records::decode(value, block));
    for (const auto& event : block.events())
      out[block.device()].emplace_back(block.epoch(), event.sequence());
    return true;
  });
  REQUIRE_MESSAGE(!ec, ec.message());
  for (auto& [device, events] : out)
    std::sort(events.begin(), events.end());
  return out;
}

std::string check_sequences(const events_by_device& events, const std::string& device,
                            std::uint64_t epoch, std::uint64_t at_least) {
  const auto found = events.find(device);
  std::uint64_t next = 1;
  if (found != events.end()) {
    for (const auto& [of_epoch, sequence] : found->second) {
      if (of_epoch != epoch)
        continue;
      if (sequence != next)
        return "event " + std::to_string(next) + " is " +
               (sequence < next ? "there twice" : "lost");
      ++next;
    }
  }
  return next > at_least ? ""
                         : "only " + std::to_string(next - 1) + " events of " +
                             std::to_string(at_least) + " acknowledged ones are there";
}

} // namespace muster::test
