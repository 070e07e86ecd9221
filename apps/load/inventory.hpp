#pragma once
// A believable inventory for a played agent: the same seed and number make the same one.

#include <array>
#include <cstdint>
#include <string>

namespace muster::load {

/// Canonical forms of the three sections (net/wire/agent.proto), by wire section number - 1. About
/// 200 applications drawn from a common stock, as machines of one fleet have; each change upgrades one.
[[nodiscard]] std::array<std::string, 3> make_inventory(std::uint64_t seed, std::uint32_t number,
                                          std::uint32_t changes = 0);

} // namespace muster::load
