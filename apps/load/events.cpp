#include "apps/load/scenarios.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace muster::load {

namespace {

class events_run final : public scenario, troupe {
public:
  events_run(stage& where, const scenario_options& options, result& into)
    : troupe(where, options.fleet, into),
      duration_(options.duration),
      per_second_(options.events_per_second) {
    into.latency_of = "event to acknowledgement";
  }

  void begin() override { troupe::begin(); }

  void end() override {
    into().tell("raised", static_cast<double>(raised_));
    into().tell("acknowledged", static_cast<double>(acked_));
    into().tell("missing", static_cast<double>(raised_ - acked_));
    const auto took = std::chrono::duration<double>(last_acked_ - began_).count();
    into().tell("events_per_second", took > 0 ? static_cast<double>(acked_) / took : 0, "1/s");
    into().tell("reconnected", static_cast<double>(reconnected_));
  }

  [[nodiscard]] std::string progress() const override {
    return fmt::format("raised {}, not yet acknowledged {}", raised_, raised_ - acked_);
  }

  [[nodiscard]] std::vector<ledger_entry> ledger() const override {
    std::vector<ledger_entry> out;
    for (const auto& one : players())
      if (one->acknowledged() > 0)
        out.push_back({net::to_hex(one->device()), one->epoch(), one->acknowledged()});
    return out;
  }

private:
  void enrolled() override {
    if (players().empty())
      return where().finish();
    came_.resize(players().size());
    ramp();
  }

  void start() {
    began_ = steady::now();
    last_acked_ = began_;
    next();
  }

  /// The timetable: event n is raised n / rate after the beginning, by a device drawn at random.
  void next() {
    const auto now = steady::now();
    const auto until = began_ + duration_;
    for (int i = 0; i < 256; ++i) { // then the links have their turn
      const auto due =
        began_ + std::chrono::nanoseconds{static_cast<std::int64_t>(
                   1e9 * static_cast<double>(raised_) / per_second_)};
      if (due >= until) {
        closing_ = true;
        constexpr auto patience = std::chrono::seconds{60};
        where().at(now + patience, [this] { where().finish(); });
        return finish_if_done();
      }
      if (due > now)
        return where().at(due, [this] { next(); });
      ++raised_;
      const auto whose = std::uniform_int_distribution<std::size_t>(0, players().size() - 1)(random());
      players()[whose]->raise(due);
    }
    where().at(now, [this] { next(); });
  }

  void on(player& who, const player_news& what) override {
    switch (what.what) {
    case news::synced:
      if (!std::exchange(came_[who.seat()], true))
        arrived();
      return;
    case news::acked:
      ++acked_;
      last_acked_ = steady::now();
      into().done(std::chrono::duration_cast<std::chrono::microseconds>(last_acked_ - what.since));
      return finish_if_done();
    case news::failed:
      into().failed(std::string{what.text});
      return again(who, 1'000);
    case news::sent_away:
      return again(who, what.amount);
    default:
      return;
    }
  }

  void again(player& who, std::uint64_t after_ms) {
    ++reconnected_;
    where().at(steady::now() + std::chrono::milliseconds{after_ms}, [&who] { who.connect(true); });
  }

  void arrived() {
    settled();
    if (++arrived_ == players().size())
      start();
  }

  void finish_if_done() {
    if (closing_ && acked_ == raised_)
      where().finish();
  }

  std::chrono::milliseconds duration_;
  double per_second_;
  steady::time_point began_;
  steady::time_point last_acked_;
  std::vector<char> came_;
  std::size_t arrived_ = 0;
  std::uint64_t raised_ = 0;
  std::uint64_t acked_ = 0;
  std::uint64_t reconnected_ = 0;
  bool closing_ = false;
};

} // namespace

std::unique_ptr<scenario> events_scenario(stage& where, const scenario_options& options,
                                          result& into) {
  return std::make_unique<events_run>(where, options, into);
}

} // namespace muster::load
