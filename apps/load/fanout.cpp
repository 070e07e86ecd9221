#include "apps/load/console_call.hpp"
#include "apps/load/scenarios.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <chrono>

namespace muster::load {

namespace {

/// Of no application that anybody has.
constexpr std::string_view application = "muster-load";
constexpr std::chrono::seconds patience{60};

/// A policy of 200 settings at the root, one of which is another each time.
std::string policy_with(std::int64_t changed) {
  auto out = fmt::format("apiVersion: muster/v1\nkind: Policy\nmetadata: {{name: {}}}\nspec:\n  settings:\n",
                         application);
  for (int i = 0; i < 199; ++i)
    out += fmt::format("    setting{}: value {}\n", i, i);
  return out + fmt::format("    changed: {}\n", changed);
}

std::string apply(std::int64_t changed) {
  return nlohmann::json{
    {"files", {{{"name", "muster-load"}, {"text", policy_with(changed)}}}}}.dump();
}

std::int64_t now_us() {
  return std::chrono::duration_cast<std::chrono::microseconds>(
           std::chrono::system_clock::now().time_since_epoch())
    .count();
}

struct seat_state {
  bool came = false;
  bool ready = false;   ///< holds the first version
  bool applied = false; ///< and the second
};

class fanout_run final : public scenario, troupe {
public:
  fanout_run(stage& where, const scenario_options& options, result& into)
    : troupe(where, options.fleet, into) {
    into.latency_of = "change to the server's word that it is applied";
  }

  void begin() override { troupe::begin(); }

  void end() override {
    into().tell("kept", static_cast<double>(kept_));
    into().tell("applied", static_cast<double>(applied_));
    into().tell("missing", static_cast<double>(players().size() - applied_));
    into().tell("all_applied_ms", static_cast<double>(all_.count()), "ms");
  }

  [[nodiscard]] std::string progress() const override {
    return changed_ ? fmt::format("applied by {} of {}", applied_, players().size())
                    : fmt::format("kept {}, holding the first version {}", kept_, ready_);
  }

private:
  /// The first version is there before anybody comes, so that the change is one.
  void enrolled() override {
    if (players().empty())
      return where().finish();
    seats_.resize(players().size());
    for (const auto& one : players())
      one->take_documents();
    console_.post("/fleet/apply", apply(now_us()), [this](const std::string& problem) {
      net::run_on(where().pool().lane(0), [this, problem] {
        if (problem.empty())
          return ramp();
        into().failed("the first version: " + problem);
        where().finish();
      });
    });
  }

  void on(player& who, const player_news& what) override {
    auto& seat = seats_[who.seat()];
    switch (what.what) {
    case news::synced:
      if (!std::exchange(seat.came, true)) {
        ++kept_;
        settled();
      }
      return;
    case news::applied:
      return changed_ ? on_applied(seat) : on_ready(seat);
    case news::failed:
    case news::sent_away:
      into().failed(std::string{what.text});
      if (!std::exchange(seat.came, true))
        settled();
      return on_ready(seat); // nobody waits for it
    default:
      return;
    }
  }

  void on_ready(seat_state& seat) {
    if (std::exchange(seat.ready, true) || ++ready_ < players().size())
      return;
    changed_ = true;
    began_ = steady::now();
    console_.post("/fleet/apply", apply(now_us()), [this](const std::string& problem) {
      if (!problem.empty())
        net::run_on(where().pool().lane(0), [this, problem] {
          into().failed("the change: " + problem);
          where().finish();
        });
    });
    where().at(began_ + patience, [this] { where().finish(); });
  }

  void on_applied(seat_state& seat) {
    if (std::exchange(seat.applied, true))
      return;
    ++applied_;
    into().done(std::chrono::duration_cast<std::chrono::microseconds>(steady::now() - began_));
    if (applied_ < players().size())
      return;
    all_ = std::chrono::duration_cast<std::chrono::milliseconds>(steady::now() - began_);
    where().finish();
  }

  std::vector<seat_state> seats_;
  console_call console_;
  steady::time_point began_;
  std::chrono::milliseconds all_{0};
  std::size_t kept_ = 0;
  std::size_t ready_ = 0;
  std::size_t applied_ = 0;
  bool changed_ = false;
};

} // namespace

std::unique_ptr<scenario> fanout_scenario(stage& where, const scenario_options& options,
                                          result& into) {
  return std::make_unique<fanout_run>(where, options, into);
}

} // namespace muster::load
