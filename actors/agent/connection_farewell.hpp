#pragma once
// A notice on its way. For the connection's files only.

#include "actors/agent/connection.hpp"
#include "net/notice.hpp"

#include <functional>
#include <string>
#include <vector>

namespace muster::actors {

/// Same bytes at each try. Ends with the server's acknowledgement or after notice_max.
struct connection_state::farewell {
  net::notice what;
  net::datagram_key key{};
  std::string bytes;                ///< empty until its counter is on the disk
  time_point until;
  std::vector<std::function<void(bool)>> waiting;
};

} // namespace muster::actors
