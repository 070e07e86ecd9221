#include "actors/rules/rollout.hpp"

#include <doctest/doctest.h>

#include <array>
#include <random>

using namespace muster::rules;

namespace {

device_id random_device(std::mt19937& random) {
  device_id out;
  for (auto& byte : out.bytes)
    byte = static_cast<std::uint8_t>(random());
  return out;
}

rollout_verdict verdict(const rollout_plan& plan, std::vector<wave_count> begun) {
  return decide(plan, begun).verdict;
}

} // namespace

TEST_CASE("waves have about the shares of the plan, and a device is always in the same one") {
  const rollout_plan plan{{5, 25, 100}, 80, 10};
  std::mt19937 random{14};
  std::array<int, 3> members{};
  int moved = 0;
  for (int i = 0; i < 20'000; ++i) {
    const auto device = random_device(random);
    const auto wave = wave_of(plan, device, "task.1");
    REQUIRE(wave < 3);
    CHECK(wave == wave_of(plan, device, "task.1"));
    ++members[wave];
    moved += wave == wave_of(plan, device, "task.2") ? 0 : 1;
  }
  CHECK(std::abs(members[0] - 1'000) < 150);
  CHECK(std::abs(members[1] - 4'000) < 300);
  CHECK(std::abs(members[2] - 15'000) < 300);
  CHECK(moved > 5'000); // another roll-out begins with others
}

TEST_CASE("a wave that reaches further keeps those that an earlier plan reached") {
  std::mt19937 random{15};
  for (int i = 0; i < 1'000; ++i) {
    const auto device = random_device(random);
    if (wave_of({{5, 100}}, device, "x") == 0)
      CHECK(wave_of({{10, 100}}, device, "x") == 0);
  }
  CHECK(wave_of({}, random_device(random), "x") == 0);
}

TEST_CASE("a known device is in a known wave: this must never change between releases") {
  device_id device;
  device.bytes[15] = 1;
  const rollout_plan plan{{10, 20, 30, 40, 50, 60, 70, 80, 90, 100}};
  std::string waves;
  for (const auto* seed : {"a", "b", "c", "d", "e", "f", "g", "h"})
    waves += std::to_string(wave_of(plan, device, seed));
  CHECK(waves == "86342419");
}

TEST_CASE("the next wave begins when enough devices are done, and the last one ends it") {
  const rollout_plan plan{{10, 100}, 80, 10};
  CHECK(verdict(plan, {{10, 7, 0, 0}}) == rollout_verdict::wait);
  CHECK(verdict(plan, {{10, 7, 0, 1}}) == rollout_verdict::next_wave);
  CHECK(verdict(plan, {{10, 7, 1, 0}}) == rollout_verdict::next_wave);
  CHECK(verdict(plan, {{10, 10, 0, 0}, {90, 71, 0, 0}}) == rollout_verdict::wait);
  CHECK(verdict(plan, {{10, 10, 0, 0}, {90, 72, 0, 0}}) == rollout_verdict::done);
  CHECK(verdict(plan, {{0, 0, 0, 0}}) == rollout_verdict::next_wave); // nobody is in it
}

TEST_CASE("too many failures stop a roll-out, before a wave is through and after") {
  const rollout_plan plan{{10, 100}, 80, 10};
  CHECK(verdict(plan, {{20, 0, 2, 0}}) == rollout_verdict::wait);
  const auto stopped = decide(plan, std::vector<wave_count>{{20, 0, 3, 0}});
  CHECK(stopped.verdict == rollout_verdict::stop);
  CHECK(stopped.why == "3 of 20 devices of wave 1 failed, more than 10 percent");
  CHECK(verdict(plan, {{20, 10, 3, 0}, {180, 0, 0, 0}}) == rollout_verdict::stop);
  const rollout_plan strict{{10, 100}, 80, 0};
  CHECK(verdict(strict, {{1'000, 0, 1, 0}}) == rollout_verdict::stop);
  CHECK(verdict(strict, {{1'000, 999, 0, 1}}) == rollout_verdict::next_wave);
}

TEST_CASE("a plan that cannot be is refused with a clause") {
  CHECK(problem_with({}).empty());
  CHECK(problem_with({{1, 50, 100}, 100, 0}).empty());
  for (const auto& waves : std::vector<std::vector<std::uint8_t>>{
         {}, {0, 100}, {50}, {50, 50, 100}, {60, 50, 100}, {50, 101}})
    CHECK_FALSE(problem_with({waves, 80, 10}).empty());
  CHECK_FALSE(problem_with({std::vector<std::uint8_t>(21, 100), 80, 10}).empty());
  CHECK_FALSE(problem_with({{100}, 0, 10}).empty());
  CHECK_FALSE(problem_with({{100}, 101, 10}).empty());
  CHECK_FALSE(problem_with({{100}, 80, 101}).empty());
}
