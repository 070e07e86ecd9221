#pragma once
// Makes changes durable: the only one who writes to the store.
//
// Group commit by flush-to-self: the mailbox is the queue. The first change sends `commit` to the
// writer itself; whatever waits in front of that message joins the batch, so one fsync serves all
// who asked meanwhile, and nobody waits when nobody else asks. Writing and syncing may overlap
// (`sync_by`): while the log_syncer waits for the disk, the writer gathers the next commit, and writes
// what is much of it already.

#include "actors/protocol.hpp"
#include "storage/generation_cache.hpp"
#include "storage/limits.hpp"
#include "storage/store.hpp"

#include <caf/result.hpp>
#include <caf/stateful_actor.hpp>
#include <caf/timespan.hpp>
#include <caf/typed_event_based_actor.hpp>
#include <caf/typed_response_promise.hpp>

#include <cstdint>
#include <string>
#include <unordered_map>
#include <vector>

namespace muster::storage {

/// Who waits for the disk.
enum class sync_by : std::uint8_t {
  writer, ///< itself
  actor,  ///< a log_syncer
  thread, ///< a log_syncer on a thread of its own
};

struct store_writer_options {
  store* db = nullptr; ///< outlives the actor (and, in production, the actor system)
  actors::wall_clock clock;
  std::size_t batch_bytes_max = limits::batch_bytes_max;
  std::size_t positions_max = limits::positions_max;
  caf::timespan fact_sync_delay = limits::fact_sync_delay;
  sync_by syncs = sync_by::writer;
};

/// Detached in production: it alone may block on the disk. Everything asked is answered, when the
/// actor is stopped (what was accepted is committed first) and when it is killed, too.
///
/// On a full disk, what only erases and what is urgent is committed apart from the others of its
/// commit, which are refused: else there would never be room again, and nobody could be shut out.
///
/// Errors: disk_full and io_error are answered to whoever shared the commit, and the next commit is
/// tried as if nothing had happened. sync_failed is final: answered to all, and the actor ends with
/// it as its exit reason, so that the root can stop the server with an exit code of its own. When
/// commits begin to fail, and when they work again, that is logged and told to whoever watches.
class store_writer_state {
public:
  static inline const char* name = "store_writer";

  explicit store_writer_state(actors::store_writer_actor::pointer self) : self_(self) {}
  ~store_writer_state();
  store_writer_state(const store_writer_state&) = delete;
  store_writer_state& operator=(const store_writer_state&) = delete;

  actors::store_writer_actor::behavior_type make_behavior(store_writer_options options);

private:
  /// Somebody who waits for the commit.
  struct put_waiter {
    caf::typed_response_promise<caf::ok_atom> promise;
    std::size_t first = 0, last = 0; ///< its changes in the batch
    bool needs_sync = false;
    bool may_use_last_room = false;
  };
  struct append_waiter {
    caf::typed_response_promise<actors::append_result> promise;
    actors::event_append_ptr what;
    actors::append_result result;
    bool moved = false; ///< refused because of what the commit brings: waits until the disk has it
  };
  /// Those who wait for the same sync.
  struct waiters {
    std::vector<put_waiter> puts;
    std::vector<append_waiter> appends;
    [[nodiscard]] bool none() const { return puts.empty() && appends.empty(); }
  };
  /// Where the entries of one append are in `entries_`.
  struct entry_run {
    actors::device_id device; ///< who numbers it: the order of one device's positions is kept
    std::size_t begin = 0;
    std::size_t end = 0;
  };
  struct totals {
    std::uint64_t commits = 0;
    std::uint64_t syncs = 0; ///< for those who wait for one
    std::uint64_t failed_commits = 0;
    std::uint64_t last_room_commits = 0;
    std::uint64_t changes = 0;
    std::uint64_t bytes = 0;
    std::uint64_t events = 0;
    std::uint64_t moved = 0;
    std::int64_t commit_ns = 0;
  };

  caf::result<caf::ok_atom> put(const actors::change_batch_ptr& changes, actors::durability how);
  caf::result<actors::append_result> append(const actors::event_append_ptr& what);
  caf::result<actors::event_position> position(const actors::device_id& device);
  void remove(const actors::device_id& device);
  void watch(const actors::disk_watcher_actor& watcher);
  void tick();
  void stop(const caf::exit_msg& why);

  /// Where the device will be when all that has been accepted is on the disk; null when that is where
  /// it is now.
  [[nodiscard]] const actors::event_position* on_its_way(const actors::device_id& device) const;
  /// The position on the disk, by way of the cache.
  std::error_code committed(const actors::device_id& device, actors::event_position& out);
  void add(const actors::event_append& what, std::int64_t received_us);
  void add(change what);
  /// Moves what is filed under devices into the batch, sorted: a memtable takes neighbours in half
  /// the time that it takes for what comes in the order in which a fleet speaks.
  void add_entries();
  /// Commits now when the batch is full, else when the mailbox has been looked through.
  void schedule();
  /// Writes what has been gathered. Who asked for facts is answered, the others wait for a sync.
  void commit();
  std::error_code write(const change_batch& changes, room may_use);
  std::error_code commit_what_may_use_last_room();
  void wait_for_sync(put_waiter one);
  void settle(const std::error_code& ec);
  void forget_gathered();
  void start_sync();
  void synced(const std::error_code& ec);
  void remember_positions(const waiters& those);
  void arm_fact_timer();
  void answer(waiters& those, const std::error_code& ec);
  void note(const std::error_code& ec);
  std::error_code last_received(std::int64_t& out) const;
  actors::metrics_text metrics() const;
  std::string status() const;

  actors::store_writer_actor::pointer self_;
  store_writer_options options_;

  // The commit in the making.
  change_batch batch_;
  change_batch entries_; ///< of appends, not yet in the batch
  std::vector<entry_run> entries_of_;
  std::size_t batch_bytes_ = 0;
  waiters gathered_;
  std::unordered_map<actors::device_id, actors::event_position> gathered_positions_;
  bool commit_on_its_way_ = false;

  // Written, and not yet known to be on the disk.
  waiters written_; ///< the next sync is for these
  waiters syncing_; ///< the sync on its way is for these
  std::unordered_map<actors::device_id, actors::event_position> written_positions_;
  actors::log_syncer_actor syncer_; ///< null: we sync ourselves
  bool sync_on_its_way_ = false;

  generation_cache<actors::device_id, actors::event_position> positions_{0};
  std::int64_t last_received_us_ = 0;
  bool facts_unsynced_ = false;
  bool tick_on_its_way_ = false;
  std::error_code trouble_; ///< of the last commit
  actors::disk_watcher_actor watcher_;
  totals totals_;
};

actors::store_writer_actor::behavior_type
store_writer(actors::store_writer_actor::stateful_pointer<store_writer_state> self,
             store_writer_options options);

} // namespace muster::storage
