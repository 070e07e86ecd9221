// How much more does an accepted mutual handshake cost our server than the bare library?

#include "bench/cpu.hpp"
#include "bench/figures.hpp"
#include "bench/handshake/client.hpp"
#include "bench/handshake/server.hpp"

#include <muster/assert.hpp>

#include <array>
#include <string>
#include <vector>

using namespace muster::bench;

namespace {

constexpr int rounds = 25;
constexpr int visits_per_round = 100;

/// One server and what its rounds have cost.
struct contender {
  std::string name;
  std::unique_ptr<server> whom;
  std::uint64_t visits = 0;
  std::vector<double> full;
  std::vector<double> resumed;
};

/// Server CPU per handshake, us.
double play_round(contender& c, client& visitor, bool resume) {
  const auto before = c.whom->cpu_us();
  for (int i = 0; i < visits_per_round; ++i)
    visitor.visit(c.whom->port(), resume);
  c.visits += visits_per_round;
  c.whom->wait_for(c.visits);
  return (c.whom->cpu_us() - before) / visits_per_round;
}

/// Both kinds of handshake. A round of full ones leaves a ticket of this server.
void play(contender& c, client& visitor) {
  c.full.push_back(play_round(c, visitor, false));
  c.resumed.push_back(play_round(c, visitor, true));
}

/// The middle of the rounds' ratios: what disturbs the machine disturbs neighbours alike.
double ratio(const std::vector<double>& ours, const std::vector<double>& theirs) {
  std::vector<double> each;
  for (std::size_t i = 0; i < ours.size(); ++i)
    each.push_back(ours[i] / theirs[i]);
  return median(std::move(each));
}

} // namespace

int main() {
  const trust who;
  std::array<contender, 3> all;
  all[0].name = "ours";
  all[0].whom = make_our_server(who);
  all[1].name = "bare";
  all[1].whom = make_bare_server(who, judge::library);
  all[2].name = "leanest";
  all[2].whom = make_bare_server(who, judge::leanest);
  stay_on_core(1);
  client visitor(who);
  for (int round = 0; round < rounds + 1; ++round) {
    for (auto& c : all) {
      play(c, visitor);
      if (round == 0) { // caches and allocators are warm now
        c.full.clear();
        c.resumed.clear();
      }
    }
  }
  for (auto& c : all)
    MUSTER_ASSERT(c.whom->resumed() == c.visits / 2, "half of the visits were resumptions");

  figures out("handshake");
  for (const auto& c : all) {
    out.tell(c.name + " full, server CPU", median(c.full), "us");
    out.tell(c.name + " resumed, server CPU", median(c.resumed), "us");
  }
  out.tell("full: ours to bare", ratio(all[0].full, all[1].full), "x", at_most(1.15));
  out.tell("resumed: ours to bare", ratio(all[0].resumed, all[1].resumed), "x", at_most(1.15));
  out.tell("full: ours to leanest", ratio(all[0].full, all[2].full), "x");
  out.tell("resumed: ours to leanest", ratio(all[0].resumed, all[2].resumed), "x");
  return out.exit_code();
}
