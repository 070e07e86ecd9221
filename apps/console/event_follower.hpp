#pragma once
// `events --follow`: each event once, as it comes, also over lost connections.

#include "apps/console/console.hpp"

#include <deque>
#include <set>
#include <string>
#include <string_view>
#include <tuple>

namespace muster::console {

class event_follower {
public:
  /// `filters` as of GET /events.
  event_follower(console& c, query filters);

  /// First what there is already, then what comes. Ends when nobody reads us any more; throws
  /// failure when the server does not let us.
  int run(const query& since, extent before);

private:
  using event_name = std::tuple<std::string, std::string, std::uint64_t>;

  /// What the stream does not tell: it begins with what happens after it was opened.
  void catch_up();
  void show_list(query q, extent wanted);
  void show(const admin::event& e, std::string_view json);
  bool on_item(std::string_view kind, std::string_view data);
  /// True when the stream ended and another one makes sense.
  bool stream_once(std::string& problem);

  console& c_;
  query filters_;
  api lists_;              ///< beside the stream, which keeps its connection busy
  moment_us floor_us_ = 0; ///< nothing older is caught up with
  moment_us last_us_ = 0;
  bool has_worked_ = false; ///< the server knows us
  bool caught_up_ = false;  ///< on this connection
  bool streamed_ = false;   ///< something came on this connection
  std::string farewell_reason_;
  std::string farewell_;
  std::set<event_name> shown_;
  std::deque<event_name> shown_in_order_;
};

} // namespace muster::console
