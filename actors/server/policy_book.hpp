#pragma once
// Keeps the fleet's order: groups, policies, moving rules, tasks, and what was set for single
// devices.

#include "actors/protocol.hpp"
#include "actors/server/fleet_edit.hpp"
#include "actors/server/fleet_messages.hpp"
#include "actors/server/fleet_store.hpp"
#include "actors/wall_clock.hpp"

#include <caf/result.hpp>
#include <caf/stateful_actor.hpp>
#include <caf/typed_event_based_actor.hpp>
#include <caf/typed_response_promise.hpp>

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <string>
#include <type_traits>
#include <unordered_map>

namespace muster::actors {

struct policy_book_options {
  loaded_fleet loaded; ///< made by load_fleet
  store_writer_actor writer;
  std::vector<directory_actor> directories; ///< not empty; index: rules/shard.hpp
  wall_clock now;
};

/// At its start every shard is told the own documents of its devices, then the snapshot: a shard
/// without a snapshot tells nobody anything, so no device hears half of what it shall hold.
///
/// Orders are worked off one at a time, in the order of their coming. Each is one batch of the
/// store: what it changes, a history entry for each object, an audit entry for each step, the
/// fleet's revision. Only when that is on the disk is memory changed, then the shards are told,
/// then the asker. When the store refuses, everything is as before. A server that dies in between
/// has done all of it or nothing.
///
/// Reading a large file takes a second or two: in production this actor has a thread of its own.
/// Losing it is fatal for the server; its successor is made by load_fleet.
class policy_book_state {
public:
  static inline const char* name = "policy_book";

  explicit policy_book_state(policy_book_actor::pointer self) : self_(self) {}

  policy_book_actor::behavior_type make_behavior(policy_book_options options);

private:
  using answer_promise = caf::typed_response_promise<fleet_answer_ptr>;

  // -- one at a time
  // --------------------------------------------------------------------------------
  /// `work` ends with over(), at once or later.
  caf::result<fleet_answer_ptr> take(std::function<void(answer_promise)> work);
  void enqueue(std::function<void()> work);
  void work_off();
  void over();

  // -- the fleet's order
  // ----------------------------------------------------------------------------
  void carry_out(const fleet_order& order, answer_promise answer);
  void carry_out(const group_order& order, answer_promise answer);
  /// What the files say that is not so yet.
  [[nodiscard]] rules::fleet_plan plan(const fleet_order& order) const;
  /// Stores what was edited and answers, unless there are problems or it is a dry run.
  void settle(fleet_edit& edit, fleet_answer what, bool dry_run, answer_promise answer);
  void publish(fleet_snapshot_ptr fleet);
  void answer_now(answer_promise& answer, fleet_answer what);
  /// For `.then`: the order has failed with what it needed.
  [[nodiscard]] std::function<void(const caf::error&)> refused(answer_promise answer);

  // -- own settings (policy_book_own.cpp)
  // -----------------------------------------------------------
  void carry_out(const own_settings_order_ptr& order, answer_promise answer);
  void set_own(const own_settings_order& order, answer_promise answer);
  void write_own(const own_settings_order& order, own_documents_ptr all,
                 storage::change_batch changes, fleet_answer what, answer_promise answer);
  void keep_own(const device_id& device, own_documents_ptr all);
  void publish_own(const device_id& device, const own_documents_ptr& all);
  /// A stray's documents are in the store only.
  void forget(const device_id& device, bool is_stray);

  [[nodiscard]] const directory_actor& directory_of(const device_id& device) const;
  [[nodiscard]] metrics_text metrics() const;
  [[nodiscard]] std::string status() const;

  policy_book_actor::pointer self_;
  policy_book_options options_;
  fleet_snapshot_ptr fleet_;
  std::size_t spec_bytes_ = 0;
  std::unordered_map<device_id, own_documents_ptr> own_; ///< shared with the shards
  std::uint64_t own_revision_ = 0;
  std::size_t own_bytes_ = 0; ///< of all of them
  std::deque<std::function<void()>> waiting_;
  bool working_ = false;
  std::uint64_t orders_ = 0;
  std::uint64_t orders_refused_ =
    0; ///< with problems, at another revision, or not taken by the store
};
static_assert(!std::is_aggregate_v<policy_book_state>);

policy_book_actor::behavior_type
policy_book(policy_book_actor::stateful_pointer<policy_book_state> self,
            policy_book_options options);

} // namespace muster::actors
