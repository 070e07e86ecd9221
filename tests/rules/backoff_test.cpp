#include "actors/rules/backoff.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <random>

using namespace std::chrono_literals;

namespace muster::rules {

TEST_CASE("waits stay within the limits and reach the upper half") {
  std::mt19937_64 random{7};
  backoff waits{{1s, 10min}};
  auto longest = 0ms;
  for (int i = 0; i < 1000; ++i) {
    const auto wait = waits.next(random);
    CHECK(wait >= 1s);
    CHECK(wait <= 10min);
    longest = std::max(longest, wait);
  }
  CHECK(longest > 5min);
}

TEST_CASE("the first wait after a success is short again") {
  std::mt19937_64 random{7};
  backoff waits{{1s, 10min}};
  for (int i = 0; i < 20; ++i)
    static_cast<void>(waits.next(random));
  waits.reset();
  CHECK(waits.next(random) <= 3s);
}

TEST_CASE("two agents that failed together do not return together") {
  std::mt19937_64 one{1};
  std::mt19937_64 other{2};
  backoff waits_of_one;
  backoff waits_of_other;
  int equal = 0;
  for (int i = 0; i < 50; ++i)
    equal += waits_of_one.next(one) == waits_of_other.next(other) ? 1 : 0;
  CHECK(equal < 5);
}

TEST_CASE("a jittered period stays within its spread and is never below a second") {
  std::mt19937_64 random{7};
  for (int i = 0; i < 200; ++i) {
    const auto period = jittered(900s, 10, random);
    CHECK(period >= 810s);
    CHECK(period <= 990s);
  }
  CHECK(jittered(900s, 0, random) == 900s);
  CHECK(jittered(0ms, 50, random) == 1s);
  CHECK(jittered(10s, 4000, random) <= 20s);
}

} // namespace muster::rules
