#pragma once
// A small fleet and its server in one thread: a seed decides who runs next, what arrives, what
// breaks and when time passes; what must hold is checked all the while and at the end.

#include "tests/actor_world.hpp"
#include "tests/agent/quiet_log.hpp"
#include "tests/simulation/agent_side.hpp"
#include "tests/simulation/cable.hpp"
#include "tests/simulation/server_side.hpp"

#include <cstdint>
#include <map>
#include <memory>
#include <random>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace muster::simulation {

/// What is allowed to go wrong; everything else goes right.
struct mischief {
  bool wires = true;    ///< connections break, stall, come twice
  bool disk = true;     ///< the server's disk is full, fails, loses what was not synced
  bool restarts = true; ///< server and agents are stopped, killed, lose power
  bool deaths = true;   ///< single sessions, jobs and streams die
};

/// What happened, so that a run in which nothing did is noticed.
struct tally {
  std::size_t welcomes = 0, syncs = 0, acknowledgements = 0, goodbyes = 0, busies = 0;
  std::size_t broken_cables = 0, deaths = 0, agent_restarts = 0, stops = 0, crashes = 0;
};

/// Not copyable, one per test: construct, run(), heal_and_check().
class simulation : test::quiet_log, public test::actor_world {
public:
  simulation(std::uint64_t seed, mischief allowed);
  ~simulation();

  /// So many decisions.
  void run(std::size_t decisions);
  /// Everything works again; then, within bounded time, every agent must have handed over what it
  /// has, and the server must hold all of it, once. Ends with an orderly stop.
  void heal_and_check();
  [[nodiscard]] const tally& happened() const noexcept { return tally_; }

private:
  using key = std::pair<std::uint64_t, std::uint64_t>; ///< epoch, sequence

  // -- decisions ----------------------------------------------------------------------------------
  void decide();
  [[nodiscard]] std::size_t below(std::size_t bound);
  [[nodiscard]] bool one_in(std::size_t n) { return below(n) == 0; }
  bool run_somebody();
  void run_everybody();
  void move_a_wire();
  void answer_a_dial(bool may_fail);
  void let_time_pass(std::chrono::milliseconds time);
  void something_happens();
  void break_a_wire();
  void break_the_disk();
  void kill_somebody();
  void restart_an_agent();
  void stop_the_server();
  void crash_the_server(bool power_loss);
  void start_the_server();
  void look_after_the_server();

  // -- what must hold -----------------------------------------------------------------------------
  void see(cable& on, side from, const std::string& message);
  void on_ack(std::size_t agent, std::uint64_t epoch, std::uint64_t sequence);
  void check_one_session_each();
  void check_acknowledged(const storage::memory_store& db);
  [[nodiscard]] bool all_said();
  [[nodiscard]] std::string report(); ///< where everybody is
  void check_events(const agent_side& agent);
  void check_sections(agent_side& agent);

  [[nodiscard]] std::int64_t now_us() const;

  struct dial {
    std::size_t agent = 0;
    net::on_connected done;
  };

  std::mt19937_64 random_;
  std::mt19937_64 server_random_;
  mischief allowed_;
  std::vector<std::unique_ptr<agent_side>> agents_;
  std::vector<std::unique_ptr<storage::memory_store>> stores_; ///< the last one is the server's
  std::unique_ptr<server_side> server_;
  std::vector<std::unique_ptr<server_side>> earlier_;
  std::vector<std::shared_ptr<cable>> wires_;
  std::shared_ptr<std::vector<dial>> dials_ = std::make_shared<std::vector<dial>>();
  bool expects_end_ = false; ///< of the server: stopped, or its disk lost an fsync
  bool disk_lost_ = false;
  std::size_t wires_made_ = 0;
  tally tally_;

  std::map<std::size_t, std::map<key, std::string>> sent_;    ///< by agent: what went over a wire
  std::map<std::size_t, std::set<std::string>> acknowledged_; ///< by agent: texts
};

} // namespace muster::simulation
