#pragma once
// The agent's one connection to its server: when to connect, what to say, when to be silent.

#include "actors/agent/connection_options.hpp"
#include "actors/agent/document_shelf.hpp"
#include "actors/protocol.hpp"
#include "actors/rules/backoff.hpp"
#include "net/wire/agent.pb.h"

#include <caf/actor_clock.hpp>
#include <caf/response_promise.hpp>
#include <caf/stateful_actor.hpp>
#include <caf/typed_event_based_actor.hpp>

#include <algorithm>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace muster::actors {

/// Connects when there is a reason (start, period, events, somebody asked), compares digests, sends
/// what the server wants, hands over events, closes when nothing is left to do (or keeps the
/// connection when told to). At most one attempt or link at a time; a link that ends in the middle
/// of something, or stays silent for `silence_max`, costs a back-off. Waits are in the state; one
/// tick is in flight, at most limits of connection_options apart.
///
/// Asked to stop it first hands over what the spool holds: by the connection there is, else by one
/// attempt, unless a pause is pending or the machine was never looked at. It ends when everything is
/// acknowledged, at once when the spool is empty or anything fails, after `stop_max` at the latest.
/// What is not delivered by then waits in the spool. Its last word is a notice, which the server
/// acknowledges or which is given up after `notice_max`.
///
/// A genuine wake ends every pause but the one after a refusal, and has the connection synced; on a
/// connection that is open already it demands a sign of life, for the server seems not to know it.
/// Once the machine has said that it goes, nothing is begun until it is back.
///
/// Over a way on which no keys are given it first makes one connection by `key_way` while it has
/// none, at its start and every `keys_pause`; what comes of that delays the other way, and no more.
///
/// What the server wants on this device goes to the settings keeper, document by document: the server
/// may say the next thing when one is on the disk. A newer manifest overtakes; what is cut off is found
/// by the next hello.
///
/// Bounds: `window` batches of `batch_bytes_max` in flight, one snapshot in memory while a sync is
/// in progress, as many documents as there is credit, nothing else that grows.
class connection_state {
public:
  static inline const char* name = "connection";
  explicit connection_state(connection_actor::pointer self);
  ~connection_state();
  connection_state(const connection_state&) = delete;
  connection_state& operator=(const connection_state&) = delete;

  connection_actor::behavior_type make_behavior(connection_options options,
                                                connection_peers peers);

private:
  using time_point = caf::actor_clock::time_point;

  /// idle: no link. preparing: looking at the machine, counting the hello. dialling: the connector
  /// is at work. greeted: the hello is out. open: welcome. closing: waits for the link's end.
  enum class phase : std::uint8_t { idle, preparing, dialling, greeted, open, closing };

  // -- connection.cpp: when -----------------------------------------------------------------------
  void consider();
  void on_tick();
  void arm_tick();
  void on_opened(const net::accepted_ptr& connection);
  void on_failed(std::error_code ec, const std::string& why);
  void on_closed(std::error_code why);
  void close_if_done();
  void close_link();
  void give_up(const std::string& why);
  void back_off(const std::string& why);
  void obey(std::chrono::milliseconds pause, errc code, std::string why);
  [[nodiscard]] time_point next_attempt() const {
    return std::max({not_before_, told_not_before_, refused_until_, away_until_});
  }
  [[nodiscard]] bool in_exchange() const;
  [[nodiscard]] bool keeping() const {
    return policy_.keep.value_or(options_.keep) || kept_by_server_;
  }
  [[nodiscard]] std::string status() const;
  [[nodiscard]] connection_report_ptr report() const;
  caf::result<caf::ok_atom> on_sync_asked();
  void answer_askers(const caf::error& why);
  [[nodiscard]] time_point now() const { return self_->clock().now(); }

  // -- connection_sync.cpp: what ------------------------------------------------------------------
  void prepare();
  void count_hello();
  void draw_counter(std::function<void(std::uint64_t)> then,
                    std::function<void(const caf::error&)> failed);
  void dial();
  void greet();
  void on_frame(const frame_ptr& bytes);
  void on_message(const wire::server_message& message);
  void on_welcome(const wire::welcome& welcome);
  void on_plan(const wire::sync_plan& plan);
  void send_sections(const std::vector<std::size_t>& wanted);
  bool send_section(std::size_t index);
  void on_sync_done();
  void end_sync();
  void on_refused(const wire::refused& refused);
  void begin_sync();
  void say(const wire::agent_message& message);
  void look(std::function<void()> then);
  void stand(std::function<void()> then);
  void tell_terms(std::uint32_t refusal) const;

  // -- connection_documents.cpp: what the server wants on this device -----------------------------
  void on_manifest(const wire::document_manifest& manifest);
  void take_manifest();
  void on_wishes(const document_wishes& wishes);
  void on_part(const wire::document_part& part);
  void keep_document(document_parcel parcel);
  void on_answer_ended();
  void end_documents();
  void forget_documents();
  [[nodiscard]] bool documents_pending() const { return manifest_ != nullptr; }
  void on_states_changed();
  void on_policy(const agent_policy& policy);
  void find_terms();

  // -- connection_events.cpp: events --------------------------------------------------------------
  void open_events();
  void on_events_position(const event_position& position);
  void send_events();
  void on_batch(const spool_batch_ptr& batch, std::uint32_t generation);
  void on_events_ack(const event_position& position);
  void on_events_ready();
  [[nodiscard]] bool events_pending() const;

  // -- connection_calls.cpp: being called, and moving about ---------------------------------------
  void load_counters();
  void load_number(const std::string& row, std::function<void(std::uint64_t)> then);
  void on_wake(wake_purpose why, std::uint64_t counter);
  void obey_wake(wake_purpose why);
  void prove();
  void on_network_changed();
  void call_soon();
  void on_call_due();
  void look_for_sleep();
  void learn_keys(const wire::welcome& welcome);
  caf::result<wake_probe> on_wake_probe();
  void ask_for_wake();
  void on_wake_test_sent(const wire::wake_test_sent& answer);
  void end_wake_probe(bool arrived, std::string text);

  // -- connection_notice.cpp: going away ----------------------------------------------------------
  caf::result<bool> on_going(off_reason why);
  void go_away();
  void tell_going(off_reason why, std::function<void(bool)> then);
  void try_notice(std::uint32_t number);
  void end_notice(bool acknowledged);

  // -- connection_stop.cpp: the last words --------------------------------------------------------
  void on_stop(const caf::exit_msg& stop);
  void hand_over();
  void finish();

  connection_actor::pointer self_;
  connection_options options_;
  connection_peers peers_;
  std::mt19937_64 random_;
  rules::backoff backoff_;

  phase phase_ = phase::idle;
  net::link_ptr link_;
  bool resumed_ = false;
  bool for_keys_ = false;      ///< the present attempt or link is by key_way
  time_point keys_due_;        ///< not asked for before
  time_point not_before_;      ///< our own pause; ends when somebody asks for a sync
  time_point told_not_before_; ///< the server's word; a wake is a newer one
  time_point refused_until_;   ///< the server does not want us: no wake ends this
  time_point away_until_;      ///< the machine has said that it goes
  time_point sync_due_;        ///< the next periodic sync
  time_point linger_until_;    ///< not closed before, for the sake of the next event
  time_point heard_at_;        ///< last time the server said something, or we began to wait for it
  std::chrono::milliseconds period_{};
  unsigned jitter_percent_ = 0;
  bool kept_by_server_ = false;          ///< its last word; a lost connection is made again

  std::optional<std::uint64_t> counter_; ///< last one used; empty until read from the disk
  std::uint64_t hello_counter_ = 0;      ///< of the present connection's hello
  section_digests digests_{};            ///< as last told to the server
  device_statistics statistics_;
  machine_snapshot_ptr snapshot_;        ///< only while a sync is in progress
  bool sync_wanted_ = true;              ///< a reason to sync that no sync has served yet
  bool syncing_ = false;
  bool looking_ = false;                 ///< the collector is at work: the server owes us nothing
  std::uint32_t looks_ = 0;              ///< the answer to an older look is void
  bool looked_ = false;                  ///< the digests of this exchange are of a new look
  std::vector<caf::typed_response_promise<caf::ok_atom>> askers_;

  std::optional<document_hash> documents_; ///< held, as last told; empty: not known yet
  keeper_report_ptr report_;             ///< only while a sync is in progress
  manifest_ptr manifest_;                ///< what is being made true; null: nothing is
  bool manifest_asked_ = false;          ///< the keeper is at it
  bool manifest_again_ = false;          ///< and has to be asked once more
  bool documents_asked_ = false;         ///< the server owes us the end of an answer
  bool documents_came_ = false;          ///< with the present answer
  bool documents_gone_ = false;          ///< the server has a newer manifest than ours
  bool owes_credit_ = false;             ///< the frame in hand is paid for when it is on the disk
  std::uint32_t documents_ended_ = 0;    ///< an older answer of the keeper is void
  std::size_t puts_ = 0;                 ///< documents on their way to the disk
  parcel_maker parcels_;
  std::set<std::pair<document_kind, std::string>> as_wholes_; ///< whose patch did not fit
  bool sync_ended_ = false;              ///< but for the documents
  time_point settling_until_;            ///< states may follow from what has come

  agent_policy policy_;                  ///< the agent's own
  std::chrono::milliseconds server_period_{};
  unsigned server_jitter_percent_ = 0;

  bool events_waiting_ = false;          ///< the spool may hold what the server does not
  bool events_asked_ = false;            ///< the position has been asked for
  bool events_open_ = false;             ///< the position is known
  bool went_back_ = false;               ///< renumber before anything is sent
  bool fetching_ = false;
  std::uint32_t generation_ = 0;         ///< of the stream; an older answer of the spool is void
  event_position sent_;                  ///< last event sent
  std::deque<event_position> in_flight_; ///< last event of each batch not yet acknowledged

  std::uint64_t wake_counter_ = 0;       ///< of the last wake taken; on the disk
  std::uint64_t wakes_ = 0;
  bool linger_wanted_ = false;           ///< the next welcome is followed by wake_linger
  bool proving_ = false;                 ///< the server has proof_max to say anything
  bool call_pending_ = false;            ///< a `next` is on its way
  std::string address_;                  ///< of the server, as last connected to
  std::string source_;                   ///< ours, towards that one
  std::chrono::milliseconds slept_{};
  /// A test of wakes, from the question to its end.
  struct wake_test {
    caf::typed_response_promise<actors::wake_probe> asker;
    time_point begun;
    std::uint32_t number = 0;
    bool asked = false; ///< the server, on the present connection
    bool sent = false;
  };
  std::unique_ptr<wake_test> wake_test_;
  std::uint32_t wake_tests_ = 0;

  /// A notice, from its counter to its acknowledgement.
  struct farewell;
  std::unique_ptr<farewell> farewell_;
  std::uint32_t farewells_ = 0;
  off_reason going_ = off_reason::none;  ///< as the machine said
  std::uint64_t told_counter_ = 0;       ///< of the last notice that was acknowledged

  std::optional<caf::error> stopping_;   ///< asked to stop, with this reason
  bool finishing_ = false;
  time_point stop_by_;                   ///< then without having handed over everything

  std::string last_words_ = "not connected yet"; ///< for status
  std::string last_error_;
  std::int64_t last_error_us_ = 0;
  std::int64_t clock_offset_ms_ = 0;
  std::int64_t clock_told_us_ = 0;
  std::int64_t last_sync_us_ = 0;
  std::uint64_t syncs_ = 0;
};

connection_actor::behavior_type
connection(connection_actor::stateful_pointer<connection_state> self, connection_options options,
           connection_peers peers);

} // namespace muster::actors
