#pragma once
// What was acknowledged must be stored, once: the proof, by asking the server's own API.

#include "apps/console/api.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace muster::load {

/// The events 1 to `acknowledged` of this epoch are on the server's disk, says the server.
struct ledger_entry {
  std::string device; ///< 32 hexadecimal digits
  std::uint64_t epoch = 0;
  std::uint64_t acknowledged = 0;
};

struct audit {
  std::uint64_t acknowledged = 0;
  std::uint64_t missing = 0; ///< acknowledged, and not there
  std::uint64_t doubled = 0; ///< there more than once
};

/// Pages through all events of each device. Throws console::failure when the server cannot be asked.
[[nodiscard]] audit verify(console::api& server, const std::vector<ledger_entry>& ledger);

} // namespace muster::load
