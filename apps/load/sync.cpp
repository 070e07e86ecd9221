#include "apps/load/scenarios.hpp"

#include <fmt/format.h>

#include <optional>

namespace muster::load {

namespace {

class sync_run final : public scenario, troupe {
public:
  sync_run(stage& where, const scenario_options& options, result& into)
    : troupe(where, options.fleet, into),
      duration_(options.duration),
      period_(options.period),
      changed_percent_(options.changed_percent) {
    into.latency_of = "sync";
  }

  void begin() override { troupe::begin(); }

  void end() override {
    const auto seconds = std::chrono::duration<double>(duration_).count();
    into().tell("syncs", static_cast<double>(into().latencies.count()));
    into().tell("syncs_per_second", static_cast<double>(into().latencies.count()) / seconds, "1/s");
    into().tell("resumed_percent",
                connections_ == 0 ? 0 : 100.0 * static_cast<double>(resumed_) /
                                          static_cast<double>(connections_), "%");
    into().tell("sent_away", static_cast<double>(sent_away_));
    into().tell("unfinished", static_cast<double>(in_progress_));
  }

  [[nodiscard]] std::string progress() const override {
    return fmt::format("{} in progress", in_progress_);
  }

private:
  void enrolled() override {
    if (players().empty())
      return where().finish();
    until_ = steady::now() + duration_;
    due_.resize(players().size());
    for (std::size_t i = 0; i < players().size(); ++i) {
      std::uniform_int_distribution<std::int64_t> spread(0, period_.count() - 1);
      schedule(i, steady::now() + std::chrono::milliseconds{spread(random())});
    }
    where().at(until_, [this] { close(); });
  }

  void schedule(std::size_t i, steady::time_point due) {
    due_[i] = due;
    if (due < until_)
      where().at(due, [this, i] { meet(i); });
  }

  void meet(std::size_t i) {
    if (closing_)
      return;
    if (std::uniform_int_distribution<unsigned>(0, 99)(random()) < changed_percent_)
      players()[i]->change_inventory();
    ++in_progress_;
    players()[i]->connect(false);
  }

  void on(player& who, const player_news& what) override {
    const std::size_t i = who.seat();
    switch (what.what) {
    case news::welcome:
      ++connections_;
      resumed_ += who.was_resumed() ? 1 : 0;
      return;
    case news::synced:
      into().done(std::chrono::duration_cast<std::chrono::microseconds>(steady::now() - due_[i]));
      return who.leave();
    case news::closed:
      return over(i);
    case news::failed:
      into().failed(std::string{what.text});
      return over(i);
    case news::sent_away:
      ++sent_away_;
      where().at(steady::now() + std::chrono::milliseconds{what.amount}, [this, i] {
        if (!closing_)
          players()[i]->connect(false); // the appointment stays the same
      });
      return;
    default:
      return;
    }
  }

  /// A slow server does not move the timetable: what is late begins at once, and counts from when
  /// it should have begun.
  void over(std::size_t i) {
    --in_progress_;
    schedule(i, due_[i] + period_);
    if (closing_ && in_progress_ == 0)
      where().finish();
  }

  void close() {
    closing_ = true;
    // Those who are at it may finish, and are measured.
    constexpr auto patience = std::chrono::seconds{10};
    if (in_progress_ == 0)
      return where().finish();
    where().at(steady::now() + patience, [this] { where().finish(); });
  }

  std::chrono::milliseconds duration_;
  std::chrono::milliseconds period_;
  unsigned changed_percent_;
  steady::time_point until_;
  std::vector<steady::time_point> due_; ///< of each one's oldest appointment that is not served
  std::size_t in_progress_ = 0;
  std::uint64_t connections_ = 0;
  std::uint64_t resumed_ = 0;
  std::uint64_t sent_away_ = 0;
  bool closing_ = false;
};

} // namespace

std::unique_ptr<scenario> sync_scenario(stage& where, const scenario_options& options,
                                        result& into) {
  return std::make_unique<sync_run>(where, options, into);
}

} // namespace muster::load
