#pragma once
// File descriptors: as many as the system lets us have, and a clear word when these are too few.

#include <cstdint>
#include <string>

namespace muster {

/// Raises the soft limit to the hard one, once, at start. Returns the limit that holds now.
[[nodiscard]] std::uint64_t raise_descriptor_limit();

/// Whether `needed` descriptors can be had. Otherwise `problem` is one line naming the limit and
/// where to change it.
[[nodiscard]] bool descriptors_for(std::uint64_t needed, std::string& problem);

} // namespace muster
