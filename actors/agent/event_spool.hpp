#pragma once
// Keeps events on disk until the server has them.

#include "actors/agent/spool_index.hpp"
#include "actors/protocol.hpp"
#include "storage/records.pb.h"

#include <caf/actor_addr.hpp>
#include <caf/result.hpp>
#include <caf/stateful_actor.hpp>
#include <caf/typed_event_based_actor.hpp>
#include <caf/typed_response_promise.hpp>

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace muster::actors {

struct event_spool_options {
  spool_bounds bounds;
  /// 64 random bits, never zero, different at each call: an epoch. Tests may count.
  std::function<std::uint64_t()> draw_epoch;
  wall_clock now_us;
};

/// Both work on the agent's own small store (rocks_options::size::spool).
struct event_spool_peers {
  store_writer_actor writer;
  store_reader_actor reader;
};

/// An epoch from the system's generator of randomness, for event_spool_options.
[[nodiscard]] std::uint64_t draw_random_epoch();

/// Reads what the disk holds first; whoever asks meanwhile waits. Afterwards one thing at a time:
/// a commit (all events raised since the last one), a read, a renumbering. So what the index says
/// and what the disk holds are the same whenever something is decided, and an event that failed to
/// reach the disk leaves no hole: its number is used by the next one.
///
/// An event is answered when it is on disk, or with the store's error. When the spool is full, the
/// oldest of the lowest severity that has not been handed out makes room (it may be the newcomer,
/// which is then refused with errc::overloaded); a record `spool.gap` takes its place, in the same
/// commit. Handed out means in flight: nothing of it changes until it is acknowledged.
///
/// Renumbering does not touch the events: it writes one record that names them anew, all or none.
///
/// Ends with an error when the disk cannot be read or does not hold what the index says; a new
/// spool then looks again. Bounds: 16 bytes of memory an event, limits::raises_waiting_max events
/// that wait for the disk.
class event_spool_state {
public:
  static inline const char* name = "event_spool";
  explicit event_spool_state(event_spool_actor::pointer self) : self_(self) {}
  ~event_spool_state();
  event_spool_state(const event_spool_state&) = delete;
  event_spool_state& operator=(const event_spool_state&) = delete;

  event_spool_actor::behavior_type make_behavior(event_spool_options options,
                                                 event_spool_peers peers);

private:
  struct waiting_raise {
    raised_event_ptr event;
    caf::typed_response_promise<caf::ok_atom> promise;
  };
  /// Something to do when the present operation is over. Calls done() or begins an operation.
  using operation = std::function<void()>;

  // -- event_spool.cpp ----------------------------------------------------------------------------
  caf::result<caf::ok_atom> on_raise(const raised_event_ptr& event);
  caf::result<std::uint64_t> on_count();
  void on_acked(const event_position& position);
  void on_subscribe(const caf::actor& whom);
  /// Runs it now or when it is its turn.
  void queue(operation what);
  void done();
  void tell_ready();
  void forget(spool_cut cut, bool again);
  [[nodiscard]] std::string status() const;

  // -- event_spool_commit.cpp ---------------------------------------------------------------------
  void commit();
  void on_committed(spool_plan plan, std::vector<waiting_raise> raised);
  void on_commit_failed(std::vector<waiting_raise> raised, const caf::error& why);

  // -- event_spool_disk.cpp -----------------------------------------------------------------------
  void recover();
  void on_recovered(const struct spool_contents& found);
  caf::result<spool_batch_ptr> on_next(const event_position& after, std::uint32_t bytes_max);
  void read(const event_position& after, std::uint32_t bytes_max,
            caf::typed_response_promise<spool_batch_ptr> promise);
  caf::result<caf::ok_atom> on_renumber(const event_position& position);
  void renumber(const event_position& position, caf::typed_response_promise<caf::ok_atom> promise);
  void write(storage::change_batch changes, durability how, std::function<void()> then,
             std::function<void(const caf::error&)> failed);

  event_spool_actor::pointer self_;
  event_spool_options options_;
  event_spool_peers peers_;
  spool_index index_;
  bool busy_ = true;                   ///< with recovery, at first
  std::deque<operation> operations_;   ///< bounded by the connection: it asks one thing at a time
  std::deque<waiting_raise> raises_;
  bool commit_queued_ = false;
  bool erase_failed_ = false;
  bool tick_on_its_way_ = false;
  caf::actor_addr subscriber_;
  std::uint64_t dropped_ = 0;
};

event_spool_actor::behavior_type
event_spool(event_spool_actor::stateful_pointer<event_spool_state> self,
            event_spool_options options, event_spool_peers peers);

} // namespace muster::actors
