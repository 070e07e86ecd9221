#pragma once
// One shard of the directory: who is there, who may come in, who is gone for good.

#include "actors/protocol.hpp"
#include "actors/rules/admission.hpp"
#include "actors/rules/device_filter.hpp"
#include "actors/rules/device_status.hpp"
#include "actors/rules/moving_rules.hpp"
#include "actors/server/call_watches.hpp"
#include "actors/server/device_placing.hpp"
#include "actors/server/device_records.hpp"
#include "actors/server/device_table.hpp"
#include "actors/server/fleet_limits.hpp"
#include "actors/server/fleet_messages.hpp"
#include "actors/server/machine_census.hpp"
#include "storage/generation_cache.hpp"

#include <caf/actor_clock.hpp>
#include <caf/result.hpp>
#include <caf/stateful_actor.hpp>
#include <caf/timespan.hpp>
#include <caf/typed_event_based_actor.hpp>
#include <caf/typed_response_promise.hpp>

#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <system_error>
#include <type_traits>
#include <unordered_map>
#include <unordered_set>
#include <vector>

namespace muster::actors {

class document_depot; // document_depot.hpp
struct document_audience;
struct device_documents;

/// What a shard begins with; made by load_directory, used by one directory actor.
struct directory_shard {
  std::shared_ptr<device_table> devices = std::make_shared<device_table>();
  machine_census_ptr machines;     ///< shared by all shards
  std::shared_ptr<document_depot> documents; ///< likewise
  std::vector<device_id> removals; ///< begun before the last stop, to be finished
};

/// Reads the devices family once, before there are actors. Yields one part for each shard; empty
/// with `ec` when the store cannot be read or a record is damaged (a device that is not in the
/// directory is refused, so none may be left out in silence). A million devices take about 3 s.
[[nodiscard]] std::vector<directory_shard> load_directory(const storage::store& db,
                                                          std::size_t shards, std::error_code& ec);

struct directory_options {
  directory_shard loaded;
  store_writer_actor writer;
  std::vector<store_reader_actor> readers; ///< not empty
  event_book_actor event_book;
  waker_actor waker; ///< null: nobody is waked
  wall_clock now;
  std::int64_t server_started_us = 0;    ///< before that nobody listened
  std::chrono::seconds sync_period{900}; ///< what agents are told: who misses three is silent
  rules::status_limits status{};
  caf::timespan trace_period = fleet_limits::trace_period; ///< of the one tick
};

/// The one place that decides about sessions. What it decided is in the store before anybody is
/// told: the counter of a hello before its welcome, a revocation before its answer. When the store
/// refuses, the asker is told so and the directory is as before.
///
/// A device's admission is one at a time: newcomers wait in line (admissions_waiting_max), and each
/// is judged by what the one before has left behind, so two are never let in together. Sessions say
/// `left` in whatever way they die, so they are not monitored.
///
/// Calls (directory_calls.cpp) go over the session, else by a wake, else wait for the next connection.
/// A sync counts for a call when it began after it, so calls are numbered: sessions are told the
/// number, and each sync names the last one its session knew when it began. Flags and notices are
/// stored before they are obeyed or acknowledged, in batches; a notice and an admission of one device
/// never at the same time.
///
/// Where a device belongs is stored before anybody sees it, one change of a device at a time; the
/// moving rules look at it when it is new, when its first facts are there, and when something has
/// changed (directory_placing.cpp). From the fleet's order and that follows what it shall hold; until
/// policy_book has spoken nobody is told anything of that (directory_documents.cpp).
///
/// Nothing here takes longer than a slice: lists and counts over many devices are cut
/// (fleet_limits::list_slice), and so is the writing of contacts and statistics (trace_slice), and
/// what follows from a new order of the fleet.
/// Losing this actor is fatal for the server; its successor is made by load_directory.
class directory_state {
public:
  static inline const char* name = "directory";

  explicit directory_state(directory_actor::pointer self) : self_(self) {}
  ~directory_state();
  directory_state(const directory_state&) = delete;
  directory_state& operator=(const directory_state&) = delete;

  directory_actor::behavior_type make_behavior(directory_options options);

private:
  using admission_promise = caf::typed_response_promise<admission_ptr>;
  struct newcomer {
    hello_facts_ptr hello;
    admission_promise answer;
    std::uint64_t calls_before = 0; ///< when it said hello
  };
  /// An admission being decided, and who waits for its end.
  struct deciding {
    newcomer now;
    bool gone = false; ///< the newcomer has left before it was let in
    bool went_back = false;
    bool late = false;
    std::optional<hello_report> report; ///< on its way to the store
    std::uint32_t question = 0; ///< to the old session, while it is open
    std::deque<newcomer> waiting;
  };
  enum class look_for : std::uint8_t { page, counts, who_is_told, who_moves };
  /// What looks at many devices.
  struct looking {
    look_for what = look_for::page;
    rules::device_filter filter;
    std::string at_name; ///< everything up to here has been looked at
    device_id at_device;
    bool begun = false;
    bool over = false;
    caf::typed_response_promise<device_page_ptr> page_answer;
    device_query_ptr query;
    std::shared_ptr<device_page> page;
    caf::typed_response_promise<device_counts> counts_answer;
    device_counts counts;
    caf::typed_response_promise<placement_report_ptr> placement_answer;
    placement_order_ptr order;
    std::shared_ptr<placement_report> placement;
  };
  using looking_ptr = std::shared_ptr<looking>;

  /// A device's place on its way to the store.
  struct moving {
    device_id device;
    assignment to;
    std::string rule; ///< empty: an administrator says so
    audit_entry who;
    bool quiet = false; ///< it stays where it is: nothing for the audit
  };
  using claims_by_device = std::vector<std::pair<device_id, claimed_facts>>;

  /// A notice on its way to the store, and who waits for that.
  struct noticing {
    notice_facts facts;
    off_report written;
    bool writing = false;
    std::vector<caf::typed_response_promise<bool>> answers;
  };
  struct keep_order {
    device_id device;
    std::uint64_t number = 0; ///< of the call
    bool on = false;
  };

  // -- admission (directory_admission.cpp) --------------------------------------------------------
  caf::result<admission_ptr> admit(const hello_facts_ptr& hello);
  void decide(const device_id& device);
  void ask_old_session(const device_id& device);
  void on_old_session(const device_id& device, std::uint32_t question, bool alive);
  void let_in(const device_id& device);
  void on_recorded(const device_id& device);
  void refuse(const device_id& device, rules::admission_step why);
  void finish(const device_id& device, admission_ptr answer);
  void fail(const device_id& device, const caf::error& why);
  void next_newcomer(const device_id& device);
  void replace_session(device_entry& entry);
  void left(const device_id& device, const caf::actor_addr& session);
  /// Raises an event about the device, unless the same has been raised a moment ago.
  void complain(const device_entry& entry, const hello_facts& hello, severity how,
                const std::string& type, std::string text);

  // -- what sessions and jobs tell ----------------------------------------------------------------
  void contact(const device_id& device);
  caf::result<caf::ok_atom> begin_replacing(const device_id& device, std::uint32_t replaced);
  void synced(const sync_outcome& outcome);
  void mark_unwritten(device_entry& entry);
  /// The report as it is to be stored, with what is on its way to the store already.
  [[nodiscard]] storage::change change_of(const device_entry& entry) const;
  void heard_wake(std::uint64_t counter);
  void tick();
  void write_traces();
  [[nodiscard]] change_batch_ptr next_traces(std::vector<device_id>& of);
  void stop(const caf::exit_msg& why);

  // -- calls (directory_calls.cpp) ----------------------------------------------------------------
  void call(const device_call& order);
  void reach(const device_entry& entry, call_watch& watch);
  [[nodiscard]] bool can_wake(const device_entry& entry) const;
  void begin_waking(const device_entry& entry, call_watch& watch);
  void asked(call_watch& watch);
  caf::result<wake_result> test_wake(const device_id& device);
  void queue(const device_entry& entry, call_watch& watch, const std::string& text);
  void settle(call_watch& watch, call_step end, const std::string& text = {});
  void tell(const call_watch& watch, call_step step, const std::string& text = {},
            std::int64_t until_us = 0);
  void wake(const device_entry& entry, wake_purpose purpose);
  void send_wakes();
  void on_woken(const device_id& device, std::uint64_t number, const wake_result& result);
  void arrived(const device_entry& entry, std::uint64_t calls_before);
  void came_to_nothing(const device_id& device);
  void departed(const device_entry& entry);
  void served(const device_id& device, std::uint64_t calls_before);
  void sync_failed(const device_id& device);
  void gone_for_good(const device_id& device, const std::string& why);
  void give_up_answers();
  void store_keeps();
  void on_keeps_stored();
  void on_keeps_refused(const caf::error& why);

  // -- documents (directory_documents.cpp) --------------------------------------------------------
  caf::result<admission_ptr> compare(const device_id& device, const document_standing& standing);
  document_parcels_ptr fetch(const device_id& device, const document_wishes& wishes);
  /// What such a device has to be told; null when it has it. It comes in, or compares.
  [[nodiscard]] manifest_ptr manifest_for(device_entry& entry, const document_standing& standing);
  [[nodiscard]] manifest_ptr manifest_of(const device_entry& entry) const;
  [[nodiscard]] document_audience audience_of(const device_entry& entry) const;
  [[nodiscard]] std::shared_ptr<const device_documents> own_of(const device_id& device) const;
  void tell_documents(device_entry& entry);
  bool tell_slice(looking& what);
  void follow(const fleet_snapshot_ptr& fleet);
  void follow(const device_id& device, const own_documents_ptr& own);

  // -- where devices belong (directory_groups.cpp) ------------------------------------------------
  caf::result<bool> assign(const device_id& device, const assignment_order_ptr& order);
  [[nodiscard]] rules::group_id group_of(const device_entry& entry) const;
  [[nodiscard]] const std::string& path_of(rules::group_id group) const;
  void write_moves(std::vector<moving> moves, durability how,
                   std::function<void(const caf::error&)> then);
  void on_moved(const moving& one);
  void end_moving(const device_id& device);

  // -- moving rules (directory_placing.cpp) -------------------------------------------------------
  caf::result<placement_report_ptr> place(const placement_order_ptr& order);
  void place_slice(const looking_ptr& what);
  void place_these(const looking_ptr& what, const claims_by_device& devices);
  void place_on(const looking_ptr& what);
  void end_placing(const looking_ptr& what, const caf::error& why);
  /// What the rules make of one device. `said` has everything that they could look at; without it,
  /// that is read. `then` is called when all of it has ended.
  void consider(const device_entry& entry, rules::moving_occasion why,
                std::optional<claimed_facts> said, std::function<void()> then = {});
  void consider_facts(const device_entry& entry, const sync_outcome& outcome);
  void decide_placing(const device_id& device, rules::moving_occasion why,
                      const claimed_facts& claims, const std::function<void()>& then);
  [[nodiscard]] std::optional<placing> placing_of(const device_entry& entry,
                                                  const claimed_facts& claims,
                                                  rules::moving_occasion why) const;

  // -- notices (directory_notices.cpp) ------------------------------------------------------------
  caf::result<bool> take_notice(const notice_facts& facts);
  void write_notices();
  void on_notices_written(const caf::error& why);
  void answer_notice(const device_id& device, bool taken, const caf::error& why = {});

  // -- changes by the console (directory_changes.cpp) ---------------------------------------------
  caf::result<caf::ok_atom> enrol(const enrolled_device_ptr& enrolled);
  caf::result<bool> revoke(const device_id& device, const audit_entry_ptr& audit);
  void write_revocation(const device_id& device, const audit_entry_ptr& audit,
                        const std::optional<std::string>& record,
                        caf::typed_response_promise<bool> answer);
  caf::result<bool> remove(const device_id& device, const audit_entry_ptr& audit);
  void write_removal(const device_id& device, const change_batch_ptr& changes,
                     caf::typed_response_promise<bool> answer);
  void on_removed(const device_id& device);
  void give_up_change(const device_id& device, caf::typed_response_promise<bool>& answer,
                      const caf::error& why);
  void recheck_removals();
  void recheck(const device_id& device);
  void on_rechecked(const device_id& device, const caf::error& why);

  // -- lists (directory_lists.cpp) ----------------------------------------------------------------
  caf::result<device_page_ptr> list(const device_query_ptr& query);
  device_page_ptr find(const device_id& device) const;
  caf::result<device_counts> count();
  void begin_looking(looking_ptr what);
  void look_again();
  void look_on();
  bool look_at_slice(looking& what);
  void look_at(const device_entry& entry, looking& what);
  [[nodiscard]] std::size_t rank_behind(const looking& what) const;
  void note_place(looking& what, std::size_t rank) const;
  [[nodiscard]] bool matches(const rules::device_filter& filter, const device_entry& entry) const;
  [[nodiscard]] device_row row_of(const device_entry& entry) const;
  [[nodiscard]] device_state state_of(const device_entry& entry) const;
  [[nodiscard]] rules::status_findings status_of(const device_entry& entry,
                                                 device_state state) const;
  [[nodiscard]] std::chrono::microseconds period_of(const device_entry& entry) const;

  [[nodiscard]] const store_reader_actor& reader_for(const device_id& device) const;
  [[nodiscard]] std::string status() const;

  directory_actor::pointer self_;
  directory_options options_;
  std::shared_ptr<device_table> devices_;
  std::unordered_map<device_id, deciding> deciding_;
  std::uint32_t questions_ = 0;
  std::unordered_set<device_id> changing_; ///< being revoked or removed: refused meanwhile
  std::deque<device_id> unwritten_;
  std::size_t unwritten_in_round_ = 0; ///< of those, how many this tick's writing takes
  bool writing_traces_ = false;
  struct removal {
    device_id device;
    caf::actor_clock::time_point due;
  };
  std::deque<removal> removals_;
  std::size_t removals_in_work_ = 0;
  std::deque<looking_ptr> looking_;
  bool look_sent_ = false; ///< to ourselves
  // Calls.
  call_watches watches_;
  std::uint64_t calls_made_ = 0;
  struct asked_call {
    caf::actor_clock::time_point due;
    device_id device;
    std::uint64_t number = 0;
  };
  std::deque<asked_call> asked_; ///< in the order of their time; those of settled calls run out
  std::unordered_map<device_id, std::uint64_t> waking_; ///< the order's number; 0: not given yet
  struct wanted_wake {
    device_id device;
    wake_purpose purpose = wake_purpose::sync;
  };
  std::deque<wanted_wake> to_wake_;
  std::size_t wakes_in_flight_ = 0;
  std::uint64_t wakes_ordered_ = 0;
  std::uint64_t wake_heard_ = 0; ///< greatest counter told to the waker
  std::deque<keep_order> keeps_;
  std::vector<keep_order> storing_keeps_;
  // Documents, groups.
  fleet_snapshot_ptr fleet_; ///< null until policy_book has spoken
  mutable std::unordered_map<rules::group_id, std::string> paths_; ///< of the groups that were asked for
  std::unordered_map<device_id, std::shared_ptr<const device_documents>> own_; ///< of the few that have some
  /// Whose place is being decided or stored; true: something has changed meanwhile, look again.
  std::unordered_map<device_id, bool> moving_;
  std::weak_ptr<looking> telling_; ///< of a new order of the fleet
  bool placing_ = false;           ///< all of the shard, for an administrator
  // Notices.
  std::unordered_map<device_id, noticing> noticing_;
  std::deque<device_id> notices_;
  std::vector<device_id> writing_notices_;
  device_counts figures_; ///< all but what a count counts
  /// By device and type of event.
  storage::generation_cache<std::string, caf::actor_clock::time_point> complaints_{
    fleet_limits::complaints_max};
};
static_assert(!std::is_aggregate_v<directory_state>);

directory_actor::behavior_type directory(directory_actor::stateful_pointer<directory_state> self,
                                         directory_options options);

} // namespace muster::actors
