// Seeds. MUSTER_SIMULATION_SEED=n runs that one alone; MUSTER_SIMULATION_ROUNDS=n runs so many new
// ones instead of the fixed few.
#include "tests/simulation/simulation.hpp"

#include <cstdio>
#include <cstdlib>
#include <random>
#include <string>

using namespace muster::simulation;

namespace {

constexpr std::size_t decisions = 4'000;
constexpr std::uint64_t seeds_in_ci = 12;

constexpr mischief everything;
constexpr mischief nothing{.wires = false, .disk = false, .restarts = false, .deaths = false};
constexpr mischief cables{.wires = true, .disk = false, .restarts = false, .deaths = false};
constexpr mischief disk_and_deaths{.wires = false, .disk = true, .restarts = false, .deaths = true};

/// Runs that ever failed, and what they had found.
struct finding {
  std::uint64_t seed;
  mischief allowed;
};
constexpr finding findings[] = {
  // An agent whose connection broke while it was fetching from its spool forgot that it had events.
  {9, cables},
  {3, disk_and_deaths},
  {5, everything},
  // A job died between a section's change and the word of it; the machine then became again what
  // the directory still remembered, and the store kept what it was in between.
  {1'606'304'810, cables},
  {1'102'033'725, cables},
  {1'938'715'063, disk_and_deaths},
};

void simulate(std::uint64_t seed, mischief allowed) {
  CAPTURE(seed);
  std::printf("MUSTER_SIMULATION_SEED=%llu\n", static_cast<unsigned long long>(seed));
  simulation world(seed, allowed);
  world.run(decisions);
  world.heal_and_check();
  const auto& t = world.happened();
  std::printf("  %zu welcomes, %zu syncs, %zu acknowledgements, %zu goodbyes, %zu busy; %zu cables "
              "broken, %zu deaths, %zu agents restarted, %zu stops, %zu ends of the server\n",
              t.welcomes, t.syncs, t.acknowledgements, t.goodbyes, t.busies, t.broken_cables,
              t.deaths, t.agent_restarts, t.stops, t.crashes);
  CHECK(t.welcomes >= 4);
  CHECK(t.syncs > 0);
  CHECK(t.acknowledgements > 0);
  if (allowed.wires)
    CHECK(t.broken_cables > 0);
}

/// The one that is asked for, or so many fresh ones, or 1 to seeds_in_ci.
std::vector<std::uint64_t> seeds() {
  if (const char* const one = std::getenv("MUSTER_SIMULATION_SEED"))
    return {std::stoull(one)};
  std::vector<std::uint64_t> out;
  if (const char* const rounds = std::getenv("MUSTER_SIMULATION_ROUNDS")) {
    std::random_device fresh;
    for (auto n = std::stoull(rounds); n > 0; --n)
      out.push_back(fresh());
  } else {
    for (std::uint64_t seed = 1; seed <= seeds_in_ci; ++seed)
      out.push_back(seed);
  }
  return out;
}

} // namespace

TEST_CASE("a fleet on which everything goes right hands over everything") {
  for (const auto seed : seeds())
    simulate(seed, nothing);
}

TEST_CASE("broken connections lose and double nothing") {
  for (const auto seed : seeds())
    simulate(seed, cables);
}

TEST_CASE("a broken disk, and deaths of single actors, lose and double nothing") {
  for (const auto seed : seeds())
    simulate(seed, disk_and_deaths);
}

TEST_CASE("whatever goes wrong together, nothing acknowledged is lost and every stop ends") {
  for (const auto seed : seeds())
    simulate(seed, everything);
}

TEST_CASE("what once failed does not fail again") {
  for (const auto& one : findings)
    simulate(one.seed, one.allowed);
}
