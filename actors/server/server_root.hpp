#pragma once
// The root of the server's actors: adopts, monitors, restarts, and stops everything in order. What
// it knows of each stage (order, grace, what a loss means) is the table in stages.hpp.

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

/// How the root makes its children; tests put fakes here. The functions run inside the root, so
/// they must not block; they hold the handles of fleet and storage, and go with the root.
struct server_root_options {
  struct port {
    std::string name; ///< "agents", "admin", "notices"
    actors::door door = door::agents_tls;
    /// Spawns the port; called again after its death.
    std::function<any_port_actor(server_root_actor::pointer root)> start;
  };
  std::vector<port> ports; ///< their index names them in respawn messages
  /// One for each kind of peer (agents have two doors). The root adopts what they answer as stage::sessions or stage::consoles; an
  /// empty handle is nobody.
  std::function<caf::actor(server_root_actor::pointer root, const net::accepted_ptr&)> open_session;
  std::function<caf::actor(server_root_actor::pointer root, const net::accepted_ptr&)> open_console;
  /// Children that live as long as the server: fleet, readers, writer; adopted at start. Whoever
  /// can contribute to /metrics is named in `measured` as well.
  std::vector<std::pair<stage, caf::actor>> residents;
  std::vector<std::function<void(server_root_actor::pointer root,
                                 std::function<void(metrics_text)> deliver)>>
    measured;
  /// Where the root's own events go; may be empty.
  std::function<void(raised_event event)> raise;
};

/// Owns the only long-lived strong handles. Ends with exit_reason::user_shutdown after an ordered
/// stop, or with the error of the child whose loss was fatal, after the same ordered stop.
///
/// A stop goes stage by stage: all of a stage are asked, the next one begins when the last of them
/// is down; what is left after the stage's grace is killed. So a stop takes at most the sum of all
/// graces (if killed actors end), and nobody loses those it relies on before it has ended. Stopping
/// again changes nothing. Connections that arrive meanwhile are closed, children adopted meanwhile
/// are asked to stop at once, or killed when their stage is over.
///
/// Memory: a handle and an address for each child, forgotten with its death.
class server_root_state {
public:
  static inline const char* name = "server_root";

  explicit server_root_state(server_root_actor::pointer self) : self_(self) {}

  server_root_actor::behavior_type make_behavior(server_root_options options);

private:
  /// One who is watched.
  struct child {
    caf::actor handle;
    stage at = stage::work;
  };
  /// A port through all its lives.
  struct port_place {
    any_port_actor handle;   ///< null: dead, to be started again
    caf::actor_addr address; ///< of the present life, or the last one
    std::deque<caf::actor_clock::time_point> deaths; ///< within restart_window
    std::uint64_t restarts = 0;
    std::string last_words; ///< of the one that died last
  };

  // -- children -----------------------------------------------------------------------------------
  void adopt(stage at, const caf::actor& handle);
  void open(door through, const net::accepted_ptr& connection);
  void start_port(std::size_t index);
  void restart_port(std::size_t index);
  void on_port_down(std::size_t index, const caf::error& why);
  void on_down(const caf::down_msg& down);

  // -- stop ---------------------------------------------------------------------------------------
  void begin_stop(caf::error why);
  void stop_stage();
  void advance(); ///< past every stage in which nobody lives; ends the root behind the last
  void on_grace_over(std::uint32_t stage_index);
  void ask_to_stop(const child& c, bool kill);

  // -- questions ----------------------------------------------------------------------------------
  caf::result<std::uint16_t> bound(door which);
  [[nodiscard]] census_ptr count() const;
  /// Answers when all who were asked have; a share that cannot be had is left out.
  caf::result<metrics_text> metrics();
  [[nodiscard]] std::string status() const;

  server_root_actor::pointer self_;
  server_root_options options_;
  std::unordered_map<caf::actor_addr, child> children_;
  std::array<std::uint64_t, stages> living_{}; ///< children by stage
  std::vector<port_place> ports_;
  bool stopping_ = false;
  std::size_t stopping_stage_ = 0; ///< those before it are over
  caf::error reason_;              ///< of the stop; the first one counts
};

/// Spawned by main, once. Adopts the residents and starts the ports before its first message.
server_root_actor::behavior_type
server_root(server_root_actor::stateful_pointer<server_root_state> self,
            server_root_options options);

} // namespace muster::actors
