#pragma once
// One agent connection: who may say what in which state, and who does the work.

#include "actors/protocol.hpp"
#include "actors/rules/dispatch.hpp"
#include "actors/server/session_services.hpp"

#include <caf/actor_clock.hpp>
#include <caf/stateful_actor.hpp>
#include <caf/typed_event_based_actor.hpp>
#include <caf/typed_response_promise.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

namespace muster::wire {
class enrol_request;
class hello;
} // namespace muster::wire

namespace muster::actors {

struct sync_job_options;

/// Lives from a finished handshake to the end of the connection. An anonymous peer may ask for a
/// certificate, once; a proved one says hello, is judged by the directory, and is then served by a
/// sync_job per sync and an event_stream while it has events. The session itself only knows the
/// order of things: rules/dispatch.hpp is its table, whatever is not in it is refused.
///
/// It alone speaks the last words on a connection (refused, busy, goodbye), then waits for the
/// link's end in state `ending`; the directory knows by then that it has left. A job or stream that
/// dies, for whatever reason, ends this connection and nothing else. When the session dies, job and
/// stream see it and end too, and the last copy of the link closes the connection.
///
/// Bounds: session_limits::frames_in_flight messages not yet worked off; whoever works one off
/// gives the credit back. Idle it is this object: no timer, no buffer, no child.
class session_state {
public:
  static inline const char* name = "session";

  explicit session_state(session_actor::pointer self) : self_(self) {}
  ~session_state();
  session_state(const session_state&) = delete;
  session_state& operator=(const session_state&) = delete;

  session_actor::behavior_type make_behavior(net::accepted_ptr connection,
                                             session_services_ptr services, server_root_actor root);

private:
  using peer_state = rules::peer_state;
  struct greeting; ///< what of a hello is needed after the directory's answer
  struct probing {
    std::vector<caf::typed_response_promise<bool>> waiting;
    std::uint32_t number = 0;
  };

  // -- from the agent -----------------------------------------------------------------------------
  void on_frame(std::string_view frame);
  void take(rules::agent_says what, const agent_message_ptr& message);
  void on_enrol_request(const wire::enrol_request& request);
  void on_hello(const wire::hello& said);
  void on_admission(const admission& decision, const greeting& hello);
  void on_sync_request(const wire::agent_message& message);
  void on_chunk(const agent_message_ptr& message);
  void on_events(const agent_message_ptr& message);
  void on_wake_test();
  void on_documents_request(const wire::agent_message& message);
  void tell_wake_test(std::uint8_t number, bool sent, const std::string& text);
  void on_closed();

  // -- from the server ----------------------------------------------------------------------------
  void on_ending(session_end why);
  void on_down(const caf::down_msg& down);
  void on_stream_idle(std::uint32_t taken);
  void on_sync_wanted(std::uint64_t calls);
  void on_keep(bool on);
  void on_documents(const document_manifest& manifest);
  caf::result<bool> on_probe();
  void on_time_up(std::uint32_t number);
  void answer_probes(bool alive);

  // -- children -----------------------------------------------------------------------------------
  void start_job(sync_job_options options);
  void need_stream();
  void open_stream();
  void adopt(const caf::actor& child);
  template <class Handle>
  void dismiss(Handle& child);
  void dismiss_children();

  // -- words and ends -----------------------------------------------------------------------------
  void tell_synced(const device_statistics& statistics);
  void tell_sync_failed();
  void note_contact();
  void refuse(refusal why, std::string_view text);
  void send_away(std::string_view text);
  void end_with(std::string last_words);
  void leave();
  [[nodiscard]] std::string subject() const;
  [[nodiscard]] std::string status() const;

  session_actor::pointer self_;
  session_services_ptr services_;
  server_root_actor root_; ///< adopts our children; the root outlives sessions, or they end
  net::link_ptr link_;
  net::accepted_ptr accepted_; ///< until admitted
  device_id device_;           ///< zero until it has said hello
  std::string device_name_;
  sync_job_actor job_;             ///< only while a sync is in progress
  event_stream_actor stream_;      ///< only while events come
  std::unique_ptr<probing> probe_; ///< only while somebody asks
  caf::actor_clock::time_point contact_told_at_;
  std::uint64_t calls_ = 0; ///< the directory's last word of them
  std::uint32_t probes_ = 0;
  std::uint32_t stream_messages_ = 0; ///< sent to the present stream
  peer_state state_ = peer_state::anonymous;
  /// No key, renewal or secret goes where this is plain (DESIGN 5).
  rules::channel over_ = rules::channel::plain;
  bool left_ = false;
  bool fetching_ = false; ///< documents, for the agent
  std::uint8_t wake_tests_ = 0; ///< of the last test of wakes; the top bit is set while it runs
};

static_assert(!std::is_aggregate_v<session_state>);
// A million of these may be idle (DESIGN 3): 176 bytes in CAF's actor of some 1.3 KB.
static_assert(sizeof(session_state) <= 176);

/// Spawned by server_root's `open_session` (which adopts what it gets). `root` takes the session's
/// children into stage::work.
session_actor::behavior_type session(session_actor::stateful_pointer<session_state> self,
                                     net::accepted_ptr connection, session_services_ptr services,
                                     server_root_actor root);

} // namespace muster::actors
