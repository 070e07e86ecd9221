// The decisions.
#include "tests/simulation/simulation.hpp"

#include "storage/errc.hpp"

#include <caf/exit_reason.hpp>

#include <algorithm>

namespace muster::simulation {

using namespace std::chrono_literals;

namespace {

constexpr std::size_t agents = 4;
constexpr std::int64_t day_zero_us = 1'700'000'000'000'000;
/// A stop must not take longer, whatever it finds (the graces of all stages together).
constexpr auto stop_max = 40s;

} // namespace

simulation::simulation(std::uint64_t seed, mischief allowed)
  : random_(seed), server_random_(seed + 1), allowed_(allowed) {
  stores_.push_back(std::make_unique<storage::memory_store>());
  for (std::size_t i = 0; i < agents; ++i) {
    agent_options options;
    options.number = i;
    options.seed = seed * agents + i;
    options.keep = i % 2 == 0;
    options.clock = [this] { return now_us(); };
    options.connect = [i, dials = dials_](net::on_connected done) {
      dials->push_back({i, std::move(done)});
    };
    agents_.push_back(std::make_unique<agent_side>(*this, std::move(options)));
    const auto& agent = *agents_.back();
    store_device(*stores_.back(), agent.device(), agent.certificate(), agent.fingerprint(),
                 agent.name(), now_us());
  }
  start_the_server();
  for (auto& one : agents_)
    one->start();
}

simulation::~simulation() {
  for (const auto& one : wires_)
    one->cut();
  dials_->clear();
  for (auto& one : agents_)
    one->kill(false);
  server_.reset();
  settle();
}

std::int64_t simulation::now_us() const {
  const auto since = sched.clock().now().time_since_epoch();
  return day_zero_us + std::chrono::duration_cast<std::chrono::microseconds>(since).count();
}

std::size_t simulation::below(std::size_t bound) {
  return static_cast<std::size_t>(random_() % bound);
}

void simulation::run(std::size_t decisions) {
  for (std::size_t i = 0; i < decisions; ++i)
    decide();
}

void simulation::decide() {
  const auto dice = below(1000);
  if (dice < 560)
    static_cast<void>(run_somebody());
  else if (dice < 800)
    move_a_wire();
  else if (dice < 850)
    answer_a_dial(allowed_.wires);
  else if (dice < 900)
    let_time_pass(std::chrono::milliseconds{below(one_in(10) ? 20'000 : 300)});
  else if (dice < 950)
    something_happens();
  else if (dice < 970 && allowed_.wires)
    break_a_wire();
  else if (dice < 975 && allowed_.disk)
    break_the_disk();
  else if (dice < 985 && allowed_.deaths)
    kill_somebody();
  else if (dice < 990 && allowed_.restarts)
    restart_an_agent();
  else if (dice < 993 && allowed_.restarts)
    one_in(2) ? stop_the_server() : crash_the_server(one_in(2));
  else if (dice < 997) {
    run_everybody();
    check_one_session_each();
  }
  look_after_the_server();
}

// -- who runs, what arrives -----------------------------------------------------------------------

/// One message of an actor that the seed picks among those that are ready.
bool simulation::run_somebody() {
  auto& jobs = sched.jobs;
  if (jobs.empty())
    return false;
  const auto picked = jobs.begin() + static_cast<std::ptrdiff_t>(below(jobs.size()));
  std::rotate(jobs.begin(), picked, picked + 1);
  return sched.try_run_once();
}

void simulation::run_everybody() {
  while (run_somebody()) {
  }
}

void simulation::move_a_wire() {
  std::erase_if(wires_, [](const auto& one) { return one->over(); });
  std::vector<std::pair<cable*, side>> ready;
  for (const auto& one : wires_) {
    for (const auto to : {side::agent, side::server}) {
      if (one->ready(to))
        ready.emplace_back(one.get(), to);
    }
  }
  if (ready.empty())
    return;
  const auto [picked, to] = ready[below(ready.size())];
  picked->step(to);
}

void simulation::answer_a_dial(bool may_fail) {
  if (dials_->empty())
    return;
  const auto picked = below(dials_->size());
  auto one = std::move((*dials_)[picked]);
  dials_->erase(dials_->begin() + static_cast<std::ptrdiff_t>(picked));
  if (!server_ || expects_end_ || (may_fail && one_in(5)))
    return one.done(nullptr, std::make_error_code(std::errc::connection_refused), "nobody there");
  const auto& agent = *agents_[one.agent];
  auto made = cable::make(
    one.agent, agent.name() + " #" + std::to_string(++wires_made_),
    [this](cable& on, side from, const std::string& message) { see(on, from, message); });
  wires_.push_back(made);
  const auto accepted = [&](side which) {
    auto out = std::make_shared<net::accepted>();
    out->connection = made->end(which);
    out->peer.certificate_sha256 = agent.certificate();
    out->peer.encrypted = true;
    out->peer.address = "192.0.2." + std::to_string(one.agent);
    return out;
  };
  server_->open(accepted(side::server));
  one.done(accepted(side::agent), {}, {});
}

void simulation::let_time_pass(std::chrono::milliseconds time) {
  for (const auto& one : wires_)
    one->pass(time);
  sched.advance_time(time);
}

void simulation::something_happens() {
  auto& agent = *agents_[below(agents)];
  if (!agent.running())
    return;
  auto& machine = agent.its_machine();
  switch (below(8)) {
  case 0:
    return agent.ask_sync();
  case 1:
    machine.applications.insert("application-" + std::to_string(below(20)));
    return;
  case 2:
    machine.applications.erase("application-" + std::to_string(below(20)));
    return;
  case 3:
    machine.services = static_cast<std::uint32_t>(below(5));
    return;
  case 4:
    machine.host = agent.name() + "-" + std::to_string(below(3));
    return;
  default:
    for (auto events = 1 + below(6); events > 0; --events)
      agent.raise();
  }
}

// -- what breaks ----------------------------------------------------------------------------------

void simulation::break_a_wire() {
  if (wires_.empty())
    return;
  auto& one = *wires_[below(wires_.size())];
  ++tally_.broken_cables;
  switch (below(4)) {
  case 0:
    return one.cut();
  case 1:
    return one.pull();
  case 2:
    return one.forget(side::agent);
  default:
    return one.forget(side::server);
  }
}

void simulation::break_the_disk() {
  auto& db = *stores_.back();
  using storage::errc;
  switch (below(6)) {
  case 0:
    return db.fail_writes(errc::disk_full);
  case 1:
    return db.fail_next_writes(1 + below(3), errc::io_error);
  case 2:
    if (allowed_.restarts && server_ && !expects_end_) {
      expects_end_ = disk_lost_ = true;
      db.fail_writes(errc::sync_failed);
    }
    return;
  default: // it gets better more often than worse
    if (!disk_lost_)
      db.fail_writes({});
  }
}

void simulation::kill_somebody() {
  if (!server_ || server_->expendable().empty())
    return;
  ++tally_.deaths;
  // The younger ones are the ones that live.
  const auto& all = server_->expendable();
  const auto back = below(std::min<std::size_t>(all.size(), 8));
  caf::anon_send_exit(all[all.size() - 1 - back], caf::exit_reason::kill);
}

void simulation::restart_an_agent() {
  const auto picked = below(agents);
  auto& agent = *agents_[picked];
  if (!agent.running())
    return agent.start();
  ++tally_.agent_restarts;
  const bool power_loss = one_in(2);
  agent.kill(power_loss);
  std::erase_if(*dials_, [&](const auto& one) { return one.agent == picked; });
  for (const auto& one : wires_) {
    if (one->agent() != picked)
      continue;
    if (power_loss)
      one->forget(side::agent); // nobody was left to say goodbye
    else
      one->cut();
  }
}

void simulation::stop_the_server() {
  if (!server_ || expects_end_)
    return;
  expects_end_ = true;
  ++tally_.stops;
  server_->stop();
}

void simulation::crash_the_server(bool power_loss) {
  if (!server_)
    return;
  ++tally_.crashes;
  stores_.push_back(survivor(*stores_.back(), power_loss || disk_lost_));
  check_acknowledged(*stores_.back());
  for (const auto& one : wires_)
    one->cut();
  earlier_.push_back(std::move(server_)); // its actors may still have a message to go
  earlier_.back()->kill_all();
  expects_end_ = disk_lost_ = false;
}

void simulation::start_the_server() {
  server_ = std::make_unique<server_side>(
    *this, *stores_.back(), [this] { return now_us(); },
    [this](std::uint32_t bound) { return static_cast<std::uint32_t>(server_random_() % bound); });
}

/// It comes back after a crash; a stop that has been asked for must end.
void simulation::look_after_the_server() {
  if (!server_) {
    if (one_in(50))
      start_the_server();
    return;
  }
  if (!expects_end_) {
    REQUIRE_MESSAGE(!server_->ended(), "the server ended by itself");
    return;
  }
  if (!server_->ended() && !one_in(30))
    return;
  // A failed fsync is only noticed when something is written: then the stop follows by itself, and
  // asking for it changes nothing.
  server_->stop();
  for (auto waited = 0ms; !server_->ended() && waited < stop_max; waited += 100ms) {
    run_everybody();
    let_time_pass(100ms);
  }
  REQUIRE_MESSAGE(server_->ended(), "the stop did not end");
  crash_the_server(false); // what is left of it are bystanders of ours
}

} // namespace muster::simulation
