#pragma once
// The scenario `keep`: N agents enrol, connect and stay; what does a kept connection cost?

#include "apps/load/player.hpp"

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <string>

namespace muster::load {

struct keep_options {
  player_options player;
  std::uint32_t agents = 100;
  std::uint32_t first_number = 0;  ///< so that several processes play one fleet
  std::uint32_t at_once = 64;      ///< enrolments and handshakes in progress
  std::size_t io_threads = 1;
  std::chrono::seconds hold{0};    ///< how long to stay once all are kept
};

struct keep_result {
  std::uint32_t enrolled = 0;
  std::uint32_t kept = 0;
  std::uint32_t failed = 0;
  std::uint32_t lost = 0;
  std::chrono::milliseconds ramp{0};
  std::map<std::string, std::uint32_t> causes; ///< of failures and losses
};

/// Blocks until every agent has been kept or has failed and `hold` is over, or `stopped` answers
/// true. `progress` is called about once a second from the calling thread.
[[nodiscard]] keep_result play_keep(const keep_options& options,
                                    const std::function<bool()>& stopped,
                                    const std::function<void(const keep_result&)>& progress);

} // namespace muster::load
