#pragma once
// Files of an `apply`: given by name, all those of a folder, or what comes from stdin.

#include <string>
#include <vector>

namespace muster::console {

struct named_text {
  std::string name; ///< as messages call it
  std::string text;
};

/// In the order given; of a folder every .yaml and .yml file in it and below, by path, without hidden
/// ones. Throws failure when one cannot be read, nothing is there, or it is more than a server takes.
[[nodiscard]] std::vector<named_text> read_fleet_files(const std::vector<std::string>& given);

} // namespace muster::console
