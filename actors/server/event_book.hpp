#pragma once
// Who watches events; what the server itself has to say; when events are forgotten.

#include "actors/protocol.hpp"
#include "actors/server/event_retention.hpp"
#include "actors/server/fleet_limits.hpp"

#include <caf/actor_clock.hpp>
#include <caf/stateful_actor.hpp>
#include <caf/timespan.hpp>
#include <caf/typed_event_based_actor.hpp>

#include <array>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <type_traits>
#include <vector>

namespace muster::actors {

struct event_book_options {
  store_writer_actor writer;
  store_reader_actor reader;
  wall_clock now;
  std::string server_name = "server"; ///< shown as the device of the server's own events
  retention_rules retention = {fleet_limits::retention_days, 0};
  caf::timespan retention_period = fleet_limits::retention_period;
};

/// The server's own events are numbered like a device's (id zero, an epoch drawn at each start) and
/// stored by the same append, one at a time; the position that the last start left is asked for
/// first. What the server says of a device is filed under that device. While the store refuses,
/// they wait (raised_max); what there was no room for is counted, and told with the next ones. That
/// the disk is full is such an event, too: it waits in line until there is room, has the time at
/// which it began, and is followed by one that says how long it lasted. A disk that is full again
/// and again is told once in disk_told_interval.
///
/// Retention works in whole days behind the present one, so it never meets an insert; when the clock
/// is far ahead of what is stored, slowly (event_retention). A tail that has ended is forgotten.
class event_book_state {
public:
  static inline const char* name = "event_book";

  explicit event_book_state(event_book_actor::pointer self) : self_(self) {}

  event_book_actor::behavior_type make_behavior(event_book_options options);

private:
  struct raised {
    device_id device;
    std::string device_name;
    event_item item; ///< not yet numbered
  };

  void publish(const stored_events_ptr& events);
  void raise(const device_id& about, const raised_event& event);
  void line_up(const device_id& about, const raised_event& event);
  void on_disk(const std::error_code& ec);
  void tell_disk_fails(const std::error_code& ec);
  void tell_disk_recovered();
  void store_next();
  void ask_position();
  void append(const event_append_ptr& batch);
  void on_appended(const event_append_ptr& batch, const append_result& result);
  void tell_losses();
  void try_again_later(const caf::error& why);
  [[nodiscard]] event_append_ptr next_batch() const;
  void subscribe(const event_tail_actor& tail);
  void on_down(const caf::down_msg& down);
  void look_at_retention();
  void carry_out(const retention_plan& plan);
  void note_clock(const retention_plan& plan, std::uint32_t today);
  [[nodiscard]] metrics_text metrics() const;
  [[nodiscard]] std::string status() const;

  event_book_actor::pointer self_;
  event_book_options options_;
  std::vector<event_tail_actor> tails_;

  std::deque<raised> raised_;
  std::optional<event_position> position_; ///< of the server's events; empty: not yet asked for
  std::uint64_t epoch_ = 0;
  bool storing_ = false;
  bool in_trouble_ = false;
  std::uint64_t dropped_untold_ = 0;
  std::optional<caf::actor_clock::time_point> disk_told_at_; ///< when it last began to fail
  bool disk_fails_ = false;                                  ///< and its end is not yet told

  retention_marks gone_{};
  std::optional<std::uint32_t> retention_day_; ///< by which ages were last counted
  std::uint32_t days_behind_ = 0;              ///< of that, behind the clock
  bool looking_at_retention_ = false;
  std::uint64_t bytes_kept_ = 0;

  std::array<std::uint64_t, event_severities> published_{};
  std::uint64_t raised_total_ = 0;
  std::uint64_t dropped_total_ = 0;
  std::uint64_t days_erased_ = 0;
};
static_assert(!std::is_aggregate_v<event_book_state>);

event_book_actor::behavior_type
event_book(event_book_actor::stateful_pointer<event_book_state> self, event_book_options options);

} // namespace muster::actors
