#include "apps/load/scenarios.hpp"

#include <fmt/format.h>

namespace muster::load {

namespace {

class keep_run final : public scenario, troupe {
public:
  keep_run(stage& where, const scenario_options& options, result& into)
    : troupe(where, options.fleet, into), hold_(options.duration) {
    into.latency_of = "connection to end of sync";
  }

  void begin() override { troupe::begin(); }

  void end() override {
    into().tell("kept", static_cast<double>(kept_));
    into().tell("failed", static_cast<double>(failed_));
    into().tell("lost", static_cast<double>(lost_));
    into().tell("ramp_ms", static_cast<double>(ramped_.count()));
  }

  [[nodiscard]] std::string progress() const override {
    return fmt::format("kept {}, failed {}, lost {}", kept_, failed_, lost_);
  }

private:
  void enrolled() override {
    began_ = steady::now();
    came_.resize(players().size());
    if (players().empty())
      return where().finish();
    ramp();
  }

  void on(player& who, const player_news& what) override {
    auto& came = came_[who.seat()];
    switch (what.what) {
    case news::synced:
      if (std::exchange(came, true))
        return; // again, because somebody asked
      ++kept_;
      into().done(std::chrono::duration_cast<std::chrono::microseconds>(steady::now() - began_));
      return arrived();
    case news::failed:
    case news::sent_away:
      into().failed(std::string{what.text});
      ++(came ? lost_ : failed_);
      if (!came)
        arrived();
      return;
    default:
      return;
    }
  }

  void arrived() {
    settled();
    if (kept_ + failed_ < players().size())
      return;
    ramped_ = std::chrono::duration_cast<std::chrono::milliseconds>(steady::now() - began_);
    where().at(steady::now() + hold_, [this] { where().finish(); });
  }

  std::chrono::milliseconds hold_;
  std::chrono::milliseconds ramped_{0};
  steady::time_point began_;
  std::vector<char> came_;
  std::uint64_t kept_ = 0;
  std::uint64_t failed_ = 0;
  std::uint64_t lost_ = 0;
};

} // namespace

std::unique_ptr<scenario> keep_scenario(stage& where, const scenario_options& options,
                                        result& into) {
  return std::make_unique<keep_run>(where, options, into);
}

} // namespace muster::load
