#pragma once
// The players of one run, and what all scenarios have in common: who has no identity yet enrols
// first, at a pace; then the scenario begins.

#include "apps/load/measure.hpp"
#include "apps/load/player.hpp"
#include "apps/load/stage.hpp"

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <random>
#include <string>
#include <vector>

namespace muster::load {

struct troupe_options {
  player_options player;
  std::uint32_t agents = 100;
  std::uint32_t first_number = 0; ///< so that several processes play one fleet
  std::uint32_t at_once = 64;     ///< enrolments, and connections of a ramp, in progress
};

/// Derive a scenario from it. Everything on the stage's thread.
class troupe : public player_watcher {
public:
  troupe(stage& where, troupe_options options, result& into);
  ~troupe() override;

  /// Enrols who has to, then calls `enrolled`. Who cannot enrol is counted as an error and left out.
  void begin();

protected:
  /// Everybody who plays along has an identity, and is away.
  virtual void enrolled() = 0;
  /// From now on, news of players.
  virtual void on(player& who, const player_news& what) = 0;

  [[nodiscard]] std::vector<std::shared_ptr<player>>& players() noexcept { return players_; }
  [[nodiscard]] const std::vector<std::shared_ptr<player>>& players() const noexcept { return players_; }
  [[nodiscard]] stage& where() noexcept { return stage_; }
  [[nodiscard]] result& into() noexcept { return result_; }
  [[nodiscard]] std::mt19937_64& random() noexcept { return random_; }
  /// Connects everybody, `at_once` at a time. Whoever derives says settled() when one has arrived or
  /// failed.
  void ramp();
  void settled();
  [[nodiscard]] const troupe_options& options() const noexcept { return options_; }

private:
  void on_news(player& who, const player_news& what) final;
  void enrol_more();
  void ramp_more();

  stage& stage_;
  troupe_options options_;
  result& result_;
  std::mt19937_64 random_;
  std::vector<std::shared_ptr<player>> players_;
  std::size_t next_ = 0; ///< to enrol, or to connect
  std::size_t in_progress_ = 0;
  std::uint32_t enrolled_ = 0;
  bool begun_ = false;
};

} // namespace muster::load
