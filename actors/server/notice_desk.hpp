#pragma once
// Takes what devices say at their end: asks the directory, and acknowledges what is on record.

#include "actors/protocol.hpp"
#include "net/datagram_keys.hpp"
#include "net/notice.hpp"
#include "net/udp_port.hpp"

#include <caf/stateful_actor.hpp>
#include <caf/typed_event_based_actor.hpp>
#include <caf/typed_response_promise.hpp>

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

namespace muster::actors {

using datagram_keys_ptr = std::shared_ptr<const net::live_datagram_keys>;

struct notice_desk_options {
  std::vector<directory_actor> directories;
  datagram_keys_ptr keys;
};

/// The filter of the notices' port: whatever is no notice by a key of ours ends here, on the io
/// thread, unanswered. It knows no devices: keys follow from ids.
[[nodiscard]] net::udp_port::filter notice_filter(datagram_keys_ptr keys);

/// One question to the directory per notice, however often the device repeats it meanwhile; each
/// repetition gets its acknowledgement. A device that is not known, or revoked, or says something
/// older than what is on record, gets none. At most `questions_max` questions are open at once; the
/// rest waits, bounded by what the port hands over.
class notice_desk_state {
public:
  static inline const char* name = "notice_desk";
  static constexpr std::size_t questions_max = 256;

  explicit notice_desk_state(notice_desk_actor::pointer self) : self_(self) {}

  notice_desk_actor::behavior_type make_behavior(notice_desk_options options);

private:
  /// What the port handed over together, and the answers to it.
  struct round {
    caf::typed_response_promise<net::datagram_batch_ptr> port;
    net::datagram_batch answers;
    std::size_t open = 0; ///< datagrams without a decision
  };
  using round_ptr = std::shared_ptr<round>;
  using key = std::pair<device_id, std::uint64_t>; ///< and the counter
  struct question {
    net::notice said;
    std::vector<std::pair<round_ptr, net::udp_endpoint>> askers;
  };

  caf::result<net::datagram_batch_ptr> take(const net::datagram_batch& batch);
  void ask_some();
  void decide(const key& which, bool on_record);
  [[nodiscard]] metrics_text metrics() const;
  [[nodiscard]] std::string status() const;

  notice_desk_actor::pointer self_;
  notice_desk_options options_;
  std::map<key, question> questions_; ///< asked or waiting
  std::deque<key> waiting_;
  std::size_t asked_ = 0;

  std::uint64_t taken_ = 0;
  std::uint64_t repeated_ = 0;
  std::uint64_t refused_ = 0;
};
static_assert(!std::is_aggregate_v<notice_desk_state>);

notice_desk_actor::behavior_type
notice_desk(notice_desk_actor::stateful_pointer<notice_desk_state> self,
            notice_desk_options options);

} // namespace muster::actors
