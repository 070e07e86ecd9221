#pragma once
// Keeps events on disk until the server has them.

#include "actors/agent/spool_disk.hpp"
#include "actors/agent/spool_index.hpp"
#include "actors/protocol.hpp"

#include <caf/actor_addr.hpp>
#include <caf/result.hpp>
#include <caf/stateful_actor.hpp>
#include <caf/typed_event_based_actor.hpp>
#include <caf/typed_response_promise.hpp>

#include <cstdint>
#include <deque>
#include <functional>
#include <optional>
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
/// commit. Handed out means in flight: nothing of it changes until it is acknowledged. (A start
/// forgets what was handed out: a gap made before the server told its position may name events that
/// it holds after all.)
///
/// Renumbering does not touch the events: it writes one record that names them anew, all or none.
/// What the server's position covers is forgotten before, unless the position is of the present
/// epoch: then this very process has been put back, and what it calls 61 may not be the server's.
///
/// Ends with an error when the disk cannot be read at the start, or does not hold what the index
/// says; a new spool then looks again. What cannot be read then becomes a gap, too. Asked to stop it
/// finishes what it has accepted. Bounds: 24 bytes of memory an event, limits::raises_waiting_max
/// events that wait for the disk.
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
  /// Something to do when nothing else is being done. `run` ends in done(), now or later; `give_up`
  /// tells whoever waits for it that nothing will come.
  struct operation {
    std::function<void()> run;
    std::function<void(const caf::error&)> give_up;
  };

  // -- event_spool.cpp ----------------------------------------------------------------------------
  void queue(operation what);
  void done();
  void on_stop(const caf::exit_msg& why);
  void fail(const caf::error& why);
  caf::result<std::uint64_t> on_count();
  void on_subscribe(const caf::actor& whom);
  void tell_ready();
  void on_acked(const event_position& position);
  void forget();
  [[nodiscard]] storage::change_batch erasures() const;
  void erased(std::uint64_t end);
  void not_erased();
  void write(storage::change_batch changes, durability how, std::function<void()> then,
             std::function<void(const caf::error&)> failed);
  [[nodiscard]] std::string status() const;

  // -- event_spool_commit.cpp ---------------------------------------------------------------------
  caf::result<caf::ok_atom> on_raise(const raised_event_ptr& event);
  void commit();
  void add_gaps(const spool_plan& plan, storage::change_batch& changes) const;
  void on_committed(const spool_plan& plan);

  // -- event_spool_read.cpp -----------------------------------------------------------------------
  void recover();
  void on_recovered(const spool_contents& contents);
  caf::result<spool_batch_ptr> on_next(const event_position& after, std::uint32_t bytes_max);
  void read(const event_position& after, std::uint32_t bytes_max,
            caf::typed_response_promise<spool_batch_ptr> promise);
  caf::result<caf::ok_atom> on_renumber(const event_position& position);
  void renumber(const event_position& position, caf::typed_response_promise<caf::ok_atom> promise);

  event_spool_actor::pointer self_;
  event_spool_options options_;
  event_spool_peers peers_;
  spool_index index_;
  operation present_;
  bool busy_ = false;
  std::deque<operation> waiting_; ///< bounded by those who ask: each waits for its answer
  std::deque<waiting_raise> raises_;
  std::vector<waiting_raise> committing_;
  bool commit_waits_ = false;
  std::uint64_t erased_to_ = 0; ///< numbers below are not on the disk any more
  bool erase_again_ = false;
  bool erase_urgently_ = false; ///< it did not work the common way
  caf::actor_addr subscriber_;
  std::uint64_t dropped_ = 0;
  std::optional<caf::error> stopping_;
};

event_spool_actor::behavior_type
event_spool(event_spool_actor::stateful_pointer<event_spool_state> self,
            event_spool_options options, event_spool_peers peers);

} // namespace muster::actors
