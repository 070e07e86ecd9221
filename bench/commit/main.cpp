// How many events a second become durable through our writer, compared to bare RocksDB?

#include "bench/commit/contenders.hpp"
#include "bench/figures.hpp"
#include "tests/temp_directory.hpp"

#include <string>
#include <vector>

using namespace muster::bench;

namespace {

constexpr int rounds = 7;

struct question {
  std::size_t events_per_append;
  std::size_t appends_per_sender; ///< in one round
};

/// The middle of the rounds.
struct answer {
  double ours = 0; ///< events a second
  double bare = 0;
  double ratio = 0;
  double events_per_commit = 0; ///< of ours
  double our_cpu_us = 0;        ///< an event, all threads together
  double bare_cpu_us = 0;
};

answer ask(const question& q) {
  // In the working directory: a folder for temporary files may be in memory, where fsync is free.
  const muster::test::temp_directory ours_on(".");
  const muster::test::temp_directory bare_on(".");
  const auto ours = make_writer(ours_on.path() / "store");
  const auto bare = make_bare(bare_on.path() / "store");
  workload events(q.events_per_append);
  const auto per_round = static_cast<double>(senders * q.appends_per_sender * q.events_per_append);
  std::vector<double> our_rates, bare_rates, ratios, our_cpu, bare_cpu;
  for (int i = 0; i < rounds + 1; ++i) {
    const auto round = events.next_round(q.appends_per_sender);
    // Who goes second finds another machine: take turns.
    const bool ours_first = i % 2 == 0;
    auto our_cost = ours_first ? ours->play(round) : cost{};
    const auto bare_cost = bare->play(round);
    if (!ours_first)
      our_cost = ours->play(round);
    if (i == 0)
      continue; // the first round makes files and warms caches
    our_rates.push_back(per_round / our_cost.seconds);
    bare_rates.push_back(per_round / bare_cost.seconds);
    ratios.push_back(bare_cost.seconds / our_cost.seconds);
    our_cpu.push_back(our_cost.cpu_us / per_round);
    bare_cpu.push_back(bare_cost.cpu_us / per_round);
  }
  const auto commits = static_cast<double>(ours->commits());
  return {median(our_rates), median(bare_rates), median(ratios), per_round * (rounds + 1) / commits,
          median(our_cpu),   median(bare_cpu)};
}

} // namespace

/// Appends of how many events, when not all kinds are wanted: `bench_commit 10`.
int main(int argc, char** argv) {
  const std::string only = argc > 1 ? argv[1] : "";
  figures out("commit");
  for (const auto& q : {question{1, 40}, question{10, 10}, question{100, 2}}) {
    const auto size = std::to_string(q.events_per_append);
    if (!only.empty() && only != size)
      continue;
    const auto found = ask(q);
    const auto what = "appends of " + size + ": ";
    out.tell(what + "ours", found.ours, "events/s");
    out.tell(what + "bare", found.bare, "events/s");
    out.tell(what + "events per commit, ours", found.events_per_commit, "");
    out.tell(what + "CPU of all threads, ours", found.our_cpu_us, "us/event");
    out.tell(what + "CPU of all threads, bare", found.bare_cpu_us, "us/event");
    out.tell(what + "ours to bare", found.ratio, "x", at_least(0.6));
  }
  return out.exit_code();
}
