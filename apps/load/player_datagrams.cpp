// A player's datagrams: what proves them, and their counters.
#include "apps/load/player.hpp"

#include "net/wake.hpp"
#include "net/wire/agent.pb.h"

#include <algorithm>

namespace muster::load {

/// It must grow from one hello or notice to the next, over runs as well: the clock will do.
std::uint64_t player::next_counter() {
  const auto now_ms = std::chrono::duration_cast<std::chrono::milliseconds>(
                        std::chrono::system_clock::now().time_since_epoch())
                        .count();
  counter_ = std::max(counter_ + 1, static_cast<std::uint64_t>(now_ms));
  return counter_;
}

void player::learn_keys(const wire::welcome& welcome) {
  for (const auto& from : welcome.datagram_keys()) {
    net::device_datagram_keys keys;
    keys.generation = from.generation();
    if (from.wake_key().size() != keys.wake.size() || from.notice_key().size() != keys.notice.size())
      continue;
    std::copy(from.wake_key().begin(), from.wake_key().end(), keys.wake.begin());
    std::copy(from.notice_key().begin(), from.notice_key().end(), keys.notice.begin());
    if (!datagram_keys_ || datagram_keys_->generation < keys.generation)
      datagram_keys_ = keys;
  }
}

net::notice player::next_notice() {
  net::notice out;
  out.generation = datagram_keys_->generation;
  out.device_id = device_;
  out.boot_id = boot_id();
  out.counter = next_counter();
  return out;
}

bool player::take_wake(std::string_view datagram) {
  if (!datagram_keys_ || is_busy())
    return false;
  net::wake_terms terms{server_id_, device_, wake_key_, {*datagram_keys_}};
  net::wake what;
  if (net::check_wake(datagram, terms, wake_counter_, what) != net::wake_verdict::accepted)
    return false;
  wake_counter_ = what.counter;
  return true;
}

} // namespace muster::load
