#pragma once
// One live view of events: what event_book publishes, as server-sent events.

#include "actors/protocol.hpp"

#include <caf/actor_clock.hpp>
#include <caf/stateful_actor.hpp>
#include <caf/typed_event_based_actor.hpp>

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace muster::actors {

/// A comment this often while there is nothing to tell, and a look at whether the log-in holds.
inline constexpr auto tail_comment_interval = std::chrono::seconds{15};
/// How long the last event may wait for room before the connection is closed without it.
inline constexpr auto tail_farewell_max = std::chrono::seconds{5};

struct event_tail_options {
  net::link_ptr connection;           ///< the response's head is already sent
  event_book_actor event_book;
  accounts_actor accounts;
  std::string bearer;                 ///< of the log-in that must hold
  std::optional<device_id> device;    ///< empty: all
  severity severity_min = severity::info;
};

/// Lives as long as the connection and the log-in. Overflow policy `disconnect`: when the link's
/// bounded queue is full the reader is too slow; no event is left out in silence. The stream then
/// ends, as it does when the log-in ends or the server stops, with a last event `end` whose data is
/// {"reason": "slow" | "login" | "stopping", "detail": a sentence}.
class event_tail_state {
public:
  static inline const char* name = "event_tail";

  explicit event_tail_state(event_tail_actor::pointer self) : self_(self) {}

  event_tail_actor::behavior_type make_behavior(event_tail_options options);

private:
  void on_events(const stored_events& stored);
  void on_tick();
  void look_after_login();
  void say_goodbye(std::string_view reason, std::string_view detail);
  void try_goodbye();
  void end();

  event_tail_actor::pointer self_;
  event_tail_options options_;
  std::string farewell_;               ///< not empty: ending, as soon as there is room for it
  caf::actor_clock::time_point farewell_until_;
  std::uint64_t told_ = 0;
};

event_tail_actor::behavior_type event_tail(event_tail_actor::stateful_pointer<event_tail_state> self,
                                           event_tail_options options);

} // namespace muster::actors
