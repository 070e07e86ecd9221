#pragma once
// The same for each of many devices: found by a target, done one by one, with a bar for whoever
// watches, and a word about each that it did not work with.

#include "apps/console/console.hpp"

#include <functional>
#include <string>
#include <vector>

namespace muster::console {

struct chosen_device {
  std::string id;
  std::string name;
};

/// Those that a target means, or the one that an id or the beginning of one means. Throws failure
/// when there is none.
[[nodiscard]] std::vector<chosen_device> devices_of(console& c, const std::string& target);

/// `past` stands in front of a number: "Moved". Returns the exit code: failed when it did not work
/// with at least one. What concerns all of them (no connection, no log-in, not allowed) ends it at
/// once; so does Ctrl-C, and what was done until then is told.
int for_each(console& c, const std::vector<chosen_device>& devices, const std::string& past,
             const std::function<void(const chosen_device&)>& what);

} // namespace muster::console
