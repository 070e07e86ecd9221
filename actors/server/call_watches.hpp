#pragma once
// The calls to devices that are not settled yet: few devices have one, so they are beside the table
// and not in it. Pure but for the handles of their watchers.

#include "actors/protocol.hpp"

#include <caf/actor_clock.hpp>

#include <cstddef>
#include <cstdint>
#include <list>
#include <unordered_map>
#include <vector>

namespace muster::actors {

/// What a call waits for.
enum class call_phase : std::uint8_t {
  storing, ///< keep: the flag is on its way to the disk
  coming,  ///< the device's admission is being decided
  waking,
  asked,   ///< the session has been asked for a sync, or a hello's sync will serve it
  queued,  ///< the device's next connection
};

struct call_watch {
  std::uint64_t number = 0; ///< of the shard, from 1, growing
  device_call order;
  call_phase phase = call_phase::queued;
  call_way way = call_way::none;
  caf::actor_clock::time_point due; ///< asked: how long that may take
};

/// In the order of their numbers, and by device. A watch stays where it is until erased; it takes
/// some 170 bytes. Use by one thread at a time.
class call_watches {
public:
  /// Its number must be above all others.
  call_watch& add(call_watch watch);
  void erase(const call_watch& watch);

  [[nodiscard]] bool empty() const noexcept { return by_age_.empty(); }
  [[nodiscard]] std::size_t size() const noexcept { return by_age_.size(); }
  /// There must be one.
  [[nodiscard]] call_watch& oldest() { return by_age_.front(); }
  /// Null when it is gone.
  [[nodiscard]] call_watch* find(const device_id& device, std::uint64_t number);
  /// Oldest first. Costs nothing while there are no calls at all.
  [[nodiscard]] std::vector<call_watch*> of(const device_id& device);

private:
  using place = std::list<call_watch>::iterator;

  std::list<call_watch> by_age_;
  std::unordered_multimap<device_id, place> by_device_;
};

} // namespace muster::actors
