#pragma once
// One console connection: HTTP requests in, responses out.

#include "actors/protocol.hpp"
#include "actors/server/console_services.hpp"
#include "net/http.hpp"

#include <caf/actor_clock.hpp>
#include <caf/stateful_actor.hpp>
#include <caf/typed_event_based_actor.hpp>

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>

namespace muster::actors {

namespace api {
struct call;
} // namespace api

/// A connection on which nothing is asked for so long is closed. With an unanswered request, or
/// while it is an event stream, it is not idle.
inline constexpr auto console_idle_max = std::chrono::seconds{75};

/// Knows the order of things on one connection and nothing of what is asked: parses, finds the
/// route (api/routes.hpp), has the bearer token judged, and lets api/handlers.hpp answer. Serves
/// one request at a time: the next one is read when the answer is queued, so a connection can make
/// us hold one request and, in the link, what the peer has not read of the answers. A peer that
/// does not read them is disconnected when the link's queue is full.
///
/// A request for an event stream hands the link to an event_tail; from then on this actor only
/// passes the end on, in both directions.
class console_session_state {
public:
  static inline const char* name = "console_session";

  explicit console_session_state(console_session_actor::pointer self) : self_(self) {}
  ~console_session_state();
  console_session_state(const console_session_state&) = delete;
  console_session_state& operator=(const console_session_state&) = delete;

  console_session_actor::behavior_type make_behavior(net::accepted_ptr connection,
                                                     console_services_ptr services,
                                                     server_root_actor root);

private:
  void on_request(const std::string& bytes);
  void authenticate(std::shared_ptr<api::call> what);
  void serve(std::shared_ptr<api::call> what, console_user user);
  void answer(net::http::response r);
  void become_stream(const api::call& what);
  void on_closed();
  void on_tick();
  void end();
  [[nodiscard]] std::string status() const;

  console_session_actor::pointer self_;
  net::link_ptr link_;
  std::string address_;
  console_services_ptr services_;
  server_root_actor root_;
  event_tail_actor tail_;
  caf::actor_clock::time_point quiet_since_;
  bool busy_ = false;       ///< a request is being answered
  bool keep_alive_ = true;
  std::uint64_t requests_ = 0;
};

console_session_actor::behavior_type
console_session(console_session_actor::stateful_pointer<console_session_state> self,
                net::accepted_ptr connection, console_services_ptr services,
                server_root_actor root);

} // namespace muster::actors
