#pragma once
// Asks devices to connect, by signed datagrams, until they are there or have been asked often enough.

#include "actors/protocol.hpp"
#include "actors/server/wake_limits.hpp"
#include "net/datagram.hpp"

#include <caf/actor_clock.hpp>
#include <caf/stateful_actor.hpp>
#include <caf/typed_event_based_actor.hpp>
#include <caf/typed_response_promise.hpp>

#include <array>
#include <cstdint>
#include <deque>
#include <functional>
#include <string>
#include <system_error>
#include <type_traits>
#include <unordered_map>
#include <vector>

namespace muster::storage {
class store;
}

namespace muster::actors {

/// A wake to be made.
struct wake_job {
  device_id device;
  std::uint64_t counter = 0;
  wake_purpose purpose = wake_purpose::sync;
};

/// Wakes as they go out; bytes[i] is jobs[i]'s.
struct made_wakes {
  std::vector<wake_job> jobs;
  std::vector<std::string> bytes;
};

struct waker_options {
  store_writer_actor writer;
  wall_clock now;
  /// As load_wake_counter_bound() found it: no counter up to here is used again.
  std::uint64_t counter_bound = 0;
  /// Makes and signs these (at most wake_limits::signed_at_once) on a thread that may be kept busy,
  /// and calls `made` from there, once.
  std::function<void(std::vector<wake_job> jobs, std::function<void(made_wakes_ptr)> made)> sign;
  /// At least 1.
  std::uint32_t datagrams_per_second = wake_limits::datagrams_per_second;
};

/// The bound that the last start left in the store; 0 when there was none.
[[nodiscard]] std::uint64_t load_wake_counter_bound(const storage::store& db, std::error_code& ec);

/// One record per device that is being woken, forgotten with its answer. All are looked at by one
/// tick, which runs only while there are any; each try has a queue of its own, in which the times
/// are in order.
///
/// A counter is used only below a bound that is on the disk, so that no start, however the last run
/// ended, uses one twice. While the disk refuses, nobody is woken, and those who wait are told.
///
/// Tries come out of one bucket, second tries before first ones. A socket that has died is waited
/// for by the next try; where not one datagram could be sent until the second, the asker is told.
class waker_state {
public:
  static inline const char* name = "waker";

  explicit waker_state(waker_actor::pointer self) : self_(self) {}

  waker_actor::behavior_type make_behavior(waker_options options);

private:
  using time_point = caf::actor_clock::time_point;

  struct call {
    net::udp_endpoint to;
    wake_purpose purpose = wake_purpose::sync;
    std::uint64_t counter = 0; ///< 0: not yet its turn
    std::uint32_t tries = 0;
    std::uint32_t sent = 0;    ///< of them, those for which there was a socket
    time_point first_try;
    std::string bytes;
    std::vector<caf::typed_response_promise<wake_result>> askers;
  };
  using calls = std::unordered_map<device_id, call>;
  /// A try that is due, unless the call has ended meanwhile: then its counter is not there any more.
  struct due_try {
    device_id device;
    std::uint64_t counter = 0;
    time_point at;
  };

  // -- messages
  caf::result<wake_result> wake(const wake_order& order);
  void arrived(const device_id& device);
  void heard(std::uint64_t counter);
  void use_port(const udp_port_actor& port);
  void on_made(const made_wakes& made);

  // -- turns
  void serve();
  void try_again();
  void begin_some();
  void give_up();
  void refill();
  [[nodiscard]] bool take_token();
  void add_try(const device_id& device, call& what);
  void arm();
  [[nodiscard]] call* find(const due_try& which);

  // -- the counter
  /// Zero when the bound has to be moved first; serve() is called when it has.
  [[nodiscard]] std::uint64_t next_counter();
  void move_bound(std::uint64_t beyond);
  void refuse_waiting(const caf::error& why);

  void answer(calls::iterator which, bool is_there, std::string text);
  [[nodiscard]] metrics_text metrics() const;
  [[nodiscard]] std::string status() const;

  waker_actor::pointer self_;
  waker_options options_;
  udp_port_actor port_; ///< null: no socket at present

  calls calls_;
  std::deque<device_id> waiting_; ///< for their first try; those that ended are still in it
  std::array<std::deque<due_try>, wake_limits::again_after.size()> again_;
  std::deque<due_try> ends_;
  net::datagram_batch outgoing_;
  bool ticking_ = false;

  double tokens_ = 0;
  double tokens_max_ = 0;
  time_point filled_at_;

  std::uint64_t last_ = 0;  ///< counter used or heard of
  std::uint64_t bound_ = 0; ///< on the disk
  bool moving_bound_ = false;

  std::uint64_t asked_ = 0;
  std::uint64_t arrived_ = 0;
  std::uint64_t unanswered_ = 0;
  std::uint64_t refused_ = 0;
  std::uint64_t datagrams_ = 0;
};
static_assert(!std::is_aggregate_v<waker_state>);

waker_actor::behavior_type waker(waker_actor::stateful_pointer<waker_state> self,
                                 waker_options options);

} // namespace muster::actors
