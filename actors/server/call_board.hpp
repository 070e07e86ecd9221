#pragma once
// What administrators want of many devices at once: found, called at a pace, and watched.

#include "actors/protocol.hpp"
#include "actors/server/call_ledger.hpp"
#include "actors/server/call_selection.hpp"

#include <caf/actor_clock.hpp>
#include <caf/result.hpp>
#include <caf/stateful_actor.hpp>
#include <caf/typed_event_based_actor.hpp>
#include <caf/typed_response_promise.hpp>

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <type_traits>
#include <vector>

namespace muster::actors {

struct call_board_options {
  std::vector<directory_actor> directories; ///< not empty; index: rules/shard.hpp
  store_writer_actor writer;
  wall_clock now;
};

/// Life of a call: its audit entry is made durable (then the asker is answered), its devices are
/// found page by page, and then called, so many at each turn and so many at once of all calls
/// together (call_limits.hpp). Calls share the turns: one device is not behind a million others.
/// What becomes of a device is its directory's affair; the board writes down what it is told.
///
/// In memory: a restart forgets the calls, and every device that it left without word syncs with its
/// next connection anyway. A call is remembered for a day, or until newer ones need its room; one
/// that is under way is never forgotten for another. Its number is never used again, by no later
/// start either: it is the second of its creation, or the next free one.
class call_board_state {
public:
  static inline const char* name = "call_board";

  explicit call_board_state(call_board_actor::pointer self) : self_(self) {}

  call_board_actor::behavior_type make_behavior(call_board_options options);

private:
  using report_promise = caf::typed_response_promise<call_report_ptr>;
  struct one_call {
    call_order order;
    std::int64_t created_us = 0;
    std::string problem;
    std::optional<call_selection> selection; ///< while the directory is asked
    call_ledger devices;
    std::int64_t finished_us = 0;
    std::int64_t swept_us = 0;

    explicit one_call(std::int64_t now_us)
      : created_us(now_us), devices(now_us), swept_us(now_us) {}
  };

  // -- beginning ----------------------------------------------------------------------------------
  caf::result<call_report_ptr> create(const call_order_ptr& order);
  void begin(std::uint64_t number, const call_order& order, report_promise answer);
  void ask_directory(std::uint64_t number);
  void on_page(std::uint64_t number, std::size_t shard, const device_page_ptr& page);
  void end_selection(std::uint64_t number, std::string problem);
  [[nodiscard]] std::uint64_t next_number();

  // -- calling ------------------------------------------------------------------------------------
  void tick();
  void call_devices();
  void call_one(std::uint64_t number, const device_id& device);
  void refill();
  [[nodiscard]] std::size_t outstanding() const;
  void on_progress(const call_progress& what);
  void note_end(one_call& call);
  void sweep(one_call& call);

  // -- remembering --------------------------------------------------------------------------------
  [[nodiscard]] bool make_room();
  bool forget_one();
  void forget_old();
  [[nodiscard]] one_call* find(std::uint64_t number);

  // -- telling ------------------------------------------------------------------------------------
  call_report_ptr report(const call_query& query);
  std::vector<call_report_ptr> list();
  [[nodiscard]] static call_report summary(std::uint64_t number, const one_call& call);
  [[nodiscard]] metrics_text metrics() const;
  [[nodiscard]] std::string status() const;

  call_board_actor::pointer self_;
  call_board_options options_;
  std::map<std::uint64_t, std::unique_ptr<one_call>> calls_;
  std::size_t creating_ = 0;            ///< whose audit entry is on its way to the disk
  std::uint64_t last_number_ = 0;
  std::deque<std::uint64_t> turns_;     ///< calls with devices whose turn has not come
  std::size_t allowance_ = 0;           ///< devices that may be called now
  caf::actor_clock::time_point filled_at_;
  bool tick_in_flight_ = false;
  std::size_t rows_ = 0;                ///< of all calls
  std::uint64_t calls_begun_ = 0;
  std::uint64_t devices_called_ = 0;
  std::uint64_t devices_done_ = 0;
  std::uint64_t devices_failed_ = 0;
};
static_assert(!std::is_aggregate_v<call_board_state>);

call_board_actor::behavior_type
call_board(call_board_actor::stateful_pointer<call_board_state> self, call_board_options options);

} // namespace muster::actors
