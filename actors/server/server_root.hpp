#pragma once
// The root of the server's actors: adopts, monitors, restarts, and stops everything in order.

#include "actors/protocol.hpp"
#include "actors/server/stages.hpp"

#include <caf/actor_clock.hpp>
#include <caf/stateful_actor.hpp>
#include <caf/typed_event_based_actor.hpp>

#include <array>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

namespace muster::actors {

/// How the root makes its children; tests put fakes here.
struct server_root_options {
  struct port {
    std::string name; ///< "agents", "admin"
    actors::door door = door::agents_tls;
    /// Spawns the port; called again after its death.
    std::function<port_actor(server_root_actor::pointer root)> start;
  };
  std::vector<port> ports;
  /// One for each door. The root adopts what they answer as stage::sessions or stage::consoles.
  std::function<caf::actor(server_root_actor::pointer root, const net::accepted_ptr&)> open_session;
  std::function<caf::actor(server_root_actor::pointer root, const net::accepted_ptr&)> open_console;
  /// Children that live as long as the server: fleet, readers, writer; adopted at start. Whoever
  /// can contribute to /metrics is named in `measured` as well.
  std::vector<std::pair<stage, caf::actor>> residents;
  std::vector<std::function<void(server_root_actor::pointer root,
                                 std::function<void(metrics_text)> deliver)>>
    measured;
};

/// Owns the only long-lived strong handles. Ends with exit_reason::user_shutdown after an ordered
/// stop, or with the error of the child whose loss was fatal, after the same ordered stop.
class server_root_state {
public:
  static inline const char* name = "server_root";

  explicit server_root_state(server_root_actor::pointer self) : self_(self) {}

  server_root_actor::behavior_type make_behavior(server_root_options options);

private:
  struct child {
    caf::actor handle;
    stage at = stage::work;
  };
  struct port_place {
    port_actor handle;
    caf::actor_addr address;
    std::deque<caf::actor_clock::time_point> deaths;
    std::uint64_t restarts = 0;
  };

  void adopt(stage at, const caf::actor& handle);
  void open(door through, const net::accepted_ptr& connection);
  void start_port(std::size_t index);
  void on_port_down(std::size_t index, const caf::error& why);
  void on_down(const caf::down_msg& down);
  void begin_stop(caf::error why);
  void stop_stage();
  void advance();
  void on_grace_over(std::uint32_t stage_index);
  void ask_to_stop(const child& c, bool kill);
  caf::result<std::uint16_t> bound(door which);
  [[nodiscard]] census_ptr count() const;
  caf::result<metrics_text> metrics();
  [[nodiscard]] std::string status() const;

  server_root_actor::pointer self_;
  server_root_options options_;
  std::unordered_map<caf::actor_addr, child> children_;
  std::array<std::uint64_t, stages> living_{};
  std::vector<port_place> ports_;
  bool stopping_ = false;
  std::size_t stopping_stage_ = 0;
  caf::error reason_;
};

server_root_actor::behavior_type
server_root(server_root_actor::stateful_pointer<server_root_state> self,
            server_root_options options);

} // namespace muster::actors
