#include "apps/load/rehearsal.hpp"
#include "apps/load/scenarios.hpp"

#include <fmt/format.h>

namespace muster::load {

namespace {

class storm_run final : public scenario, rehearsed_troupe {
public:
  storm_run(stage& where, const scenario_options& options, result& into)
    : rehearsed_troupe(where, options.fleet, into) {
    into.latency_of = "storm to end of sync";
  }

  void begin() override { troupe::begin(); }

  void end() override {
    into().tell("synced", static_cast<double>(synced_));
    into().tell("missing", static_cast<double>(players().size() - synced_));
    into().tell("all_synced_ms", static_cast<double>(all_.count()), "ms");
    into().tell("attempts", static_cast<double>(attempts_));
    into().tell("sent_away", static_cast<double>(sent_away_));
  }

  [[nodiscard]] std::string progress() const override {
    return fmt::format("synced {}, sent away {} times", synced_, sent_away_);
  }

private:
  /// It is a known fleet that comes back.
  void curtain_up() override {
    began_ = steady::now();
    for (const auto& one : players())
      attempt(*one);
  }

  void attempt(player& who) {
    ++attempts_;
    who.connect(false);
  }

  void on_stage(player& who, const player_news& what) override {
    switch (what.what) {
    case news::synced:
      ++synced_;
      into().done(std::chrono::duration_cast<std::chrono::microseconds>(steady::now() - began_));
      return who.leave();
    case news::closed:
      return gone();
    case news::failed:
      into().failed(std::string{what.text});
      return after(retry_after(), [this, &who] { attempt(who); });
    case news::sent_away:
      ++sent_away_;
      return after(what.amount, [this, &who] { attempt(who); });
    default:
      return;
    }
  }

  /// As an agent that was refused by the network backs off.
  std::uint64_t retry_after() {
    return std::uniform_int_distribution<std::uint64_t>(1'000, 3'000)(random());
  }

  void gone() {
    if (++done_ < players().size())
      return;
    all_ = std::chrono::duration_cast<std::chrono::milliseconds>(steady::now() - began_);
    where().finish();
  }

  steady::time_point began_;
  std::chrono::milliseconds all_{0};
  std::size_t done_ = 0;
  std::uint64_t synced_ = 0;
  std::uint64_t attempts_ = 0;
  std::uint64_t sent_away_ = 0;
};

} // namespace

std::unique_ptr<scenario> storm_scenario(stage& where, const scenario_options& options,
                                         result& into) {
  return std::make_unique<storm_run>(where, options, into);
}

} // namespace muster::load
