#pragma once
// The scenarios: each asks one question of a server.

#include "apps/load/ledger.hpp"
#include "apps/load/troupe.hpp"
#include "net/datagram.hpp"

#include <chrono>
#include <cstdint>
#include <memory>

namespace muster::load {

struct scenario_options {
  troupe_options fleet;
  std::chrono::milliseconds duration{60'000}; ///< of sync and events; how long keep stays
  std::chrono::milliseconds period{60'000};   ///< sync: between two of one agent
  unsigned changed_percent = 5;               ///< sync: have something to tell
  double events_per_second = 1'000;           ///< events: of all agents together
  net::udp_endpoint notices;                  ///< notices: where the server takes them
};

class scenario {
public:
  virtual ~scenario() = default;
  /// On the stage's thread; ends with stage::finish().
  virtual void begin() = 0;
  /// When it is over, or was stopped: tells what it has not told yet.
  virtual void end() = 0;
  /// When it is over: what the server has acknowledged; only of events.
  [[nodiscard]] virtual std::vector<ledger_entry> ledger() const { return {}; }
  /// One line of how far it is.
  [[nodiscard]] virtual std::string progress() const = 0;
};

/// Kept connections: all come, at a pace, and stay. What does one cost? (On the server: measured
/// there.)
[[nodiscard]] std::unique_ptr<scenario> keep_scenario(stage& where, const scenario_options& options,
                                                      result& into);
/// Steady state: each connects, syncs and goes, once a period, whether the server keeps up or not. The
/// latency is from the moment of the timetable to the end of the sync.
[[nodiscard]] std::unique_ptr<scenario> sync_scenario(stage& where, const scenario_options& options,
                                                      result& into);
/// All come back in the same moment. Who is sent away obeys. How long until everybody has synced?
[[nodiscard]] std::unique_ptr<scenario> storm_scenario(stage& where,
                                                       const scenario_options& options,
                                                       result& into);
/// Events over kept connections, at a rate, whether the server keeps up or not. The latency is from
/// the moment of the timetable to the acknowledgement. At the end all that were raised are waited
/// for.
[[nodiscard]] std::unique_ptr<scenario> events_scenario(stage& where,
                                                        const scenario_options& options,
                                                        result& into);

/// Everybody is away; all are woken by one call of the console (needs a `muster login`). How many come,
/// and when has the last one synced?
[[nodiscard]] std::unique_ptr<scenario> wake_scenario(stage& where, const scenario_options& options,
                                                      result& into);
/// Everybody is connected and holds a policy of 200 settings; one of them is changed (needs a `muster
/// login`). When does the server know of the last one that it has been applied?
[[nodiscard]] std::unique_ptr<scenario> fanout_scenario(stage& where,
                                                        const scenario_options& options,
                                                        result& into);
/// Everybody says that it goes, spread over `duration`, three tries each. How many are acknowledged?
[[nodiscard]] std::unique_ptr<scenario> notices_scenario(stage& where,
                                                         const scenario_options& options,
                                                         result& into);

} // namespace muster::load
