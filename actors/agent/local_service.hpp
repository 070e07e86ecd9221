#pragma once
// What the agent answers on its Unix socket: events of other programs, status, sync, tests of wakes.

#include "actors/agent/local_request.hpp"
#include "actors/protocol.hpp"
#include "net/local_port.hpp"

#include <caf/actor_clock.hpp>
#include <caf/stateful_actor.hpp>
#include <caf/typed_event_based_actor.hpp>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <system_error>
#include <unordered_map>

namespace muster::actors {

/// One request on its way from an io thread. `answer` is called once, from any thread.
struct local_request {
  net::local_peer peer;
  std::string text;
  std::function<void(std::string)> answer;
};

struct local_service_options {
  /// Opens the socket; called once at the start. In production net::local_port::open with the path
  /// of the settings; in tests a function that keeps `request` to call it. On failure an error: the
  /// agent goes on without a socket, saying so.
  std::function<std::shared_ptr<net::local_port>(net::local_port::on_request request,
                                                 std::error_code& ec)>
    open;
  /// For logs.
  std::string path;
  /// The name of a user, empty when unknown. Must not wait for a network.
  std::function<std::string(std::uint32_t user)> name_of_user;
  std::uint32_t own_user = 0; ///< may give orders, as root may
  std::string agent_version;
  /// Adds what the connection does not know: device, certificate, wakes. May be empty.
  std::function<void(local_status&)> add_figures;
  /// Has the agent stop and start with what is on the disk now. False: that cannot be. May be empty.
  std::function<bool()> reload;
};

struct local_service_peers {
  event_spool_actor spool;
  connection_actor connection;
  settings_keeper_actor keeper{}; ///< null: no application is managed
};

/// The name in /etc/passwd, no other source asked: those may wait for a network.
[[nodiscard]] std::string name_of_local_user(std::uint32_t user);

/// Anybody on the machine may raise events and ask for the status; the kernel's word who it was
/// goes into the event's attributes (local.user, local.uid, local.pid), which the request cannot
/// set itself. A user who raises more than limits::local_events_per_second is told so. Owns the
/// socket. Bounds: limits::local_requests_max in progress, limits::local_users_max remembered.
class local_service_state {
public:
  static inline const char* name = "local_service";
  explicit local_service_state(local_service_actor::pointer self) : self_(self) {}
  ~local_service_state();
  local_service_state(const local_service_state&) = delete;
  local_service_state& operator=(const local_service_state&) = delete;

  local_service_actor::behavior_type make_behavior(local_service_options options,
                                                   local_service_peers peers);

private:
  using time_point = caf::actor_clock::time_point;
  /// A bucket of events that fills up again with time.
  struct user_share {
    double events = 0;
    time_point seen;
    std::string name;
  };

  void on_request(const local_request_ptr& request);
  void raise(const local_request_ptr& request, raised_event event);
  void tell_status(const local_request_ptr& request);
  void tell_status(const local_request_ptr& request, local_status status);
  [[nodiscard]] local_status status_of(const connection_report& report, std::uint64_t events) const;
  void sync(const local_request_ptr& request);
  void test_wake(const local_request_ptr& request);
  void reload(const local_request_ptr& request);
  [[nodiscard]] bool may_order(const local_request_ptr& request);
  void refuse(const local_request_ptr& request, std::string_view why);
  user_share& share_of(std::uint32_t user);
  [[nodiscard]] static bool take_share(user_share& share);
  void forget_one_user();

  local_service_actor::pointer self_;
  local_service_options options_;
  local_service_peers peers_;
  std::shared_ptr<net::local_port> port_;
  std::unordered_map<std::uint32_t, user_share> users_;
  std::size_t in_progress_ = 0;
  std::uint64_t events_ = 0;
  std::uint64_t refused_ = 0;
};

local_service_actor::behavior_type
local_service(local_service_actor::stateful_pointer<local_service_state> self,
              local_service_options options, local_service_peers peers);

} // namespace muster::actors
