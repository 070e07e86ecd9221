#pragma once
// Which shard of the directory has a device.

#include "actors/rules/ids.hpp"

#include <cstddef>

namespace muster::rules {

/// Device ids are random, so any byte deals them out evenly; the last one is used because the
/// first bytes already serve as hash. `shards` must not be 0.
[[nodiscard]] constexpr std::size_t shard_of(const device_id& device, std::size_t shards) noexcept {
  return (static_cast<std::size_t>(device.bytes[14]) << 8 | device.bytes[15]) % shards;
}

} // namespace muster::rules
