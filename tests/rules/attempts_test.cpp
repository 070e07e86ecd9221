#include "actors/rules/attempts.hpp"

#include <doctest/doctest.h>

#include <string>

using namespace muster::rules;
using namespace std::chrono_literals;

namespace {

constexpr std::int64_t start = 1'000'000'000;

std::int64_t after(std::chrono::microseconds time) {
  return start + time.count();
}

} // namespace

TEST_CASE("a burst of attempts, then one for each refill") {
  attempt_budget budget({.burst = 3, .refill = 10s});
  for (int i = 0; i < 3; ++i)
    CHECK(budget.take("a", start) == 0s);
  CHECK(budget.take("a", start) == 10s);
  CHECK(budget.take("a", after(4s)) == 6s);
  CHECK(budget.take("a", after(10s)) == 0s);
  CHECK(budget.take("a", after(10s)) == 10s);
  for (int i = 0; i < 3; ++i)
    CHECK(budget.take("a", after(1h)) == 0s);
  CHECK(budget.take("a", after(1h)) == 10s);
}

TEST_CASE("refused attempts cost nothing, and asking how long costs nothing") {
  attempt_budget budget({.burst = 1, .refill = 10s});
  CHECK(budget.wait("a", start) == 0s);
  CHECK(budget.names() == 0);
  CHECK(budget.take("a", start) == 0s);
  for (int i = 0; i < 100; ++i)
    CHECK(budget.take("a", after(5s)) == 5s);
  CHECK(budget.wait("a", after(10s)) == 0s);
}

TEST_CASE("names have budgets of their own; a good attempt forgives") {
  attempt_budget budget({.burst = 1, .refill = 10s});
  CHECK(budget.take("a", start) == 0s);
  CHECK(budget.take("b", start) == 0s);
  CHECK(budget.take("a", start) == 10s);
  budget.forgive("a");
  CHECK(budget.take("a", start) == 0s);
  CHECK(budget.take("b", start) == 10s);
}

TEST_CASE("inventing names brings nothing: those beyond the bound share one budget") {
  attempt_budget budget({.burst = 1, .refill = 10s, .names_max = 3});
  for (const auto* name : {"a", "b", "c"})
    CHECK(budget.take(name, start) == 0s);
  CHECK(budget.take("d", start) == 0s);
  CHECK(budget.take("e", start) == 10s);
  CHECK(budget.take("f", start) == 10s);
  CHECK(budget.names() == 4);
  // What has refilled makes room.
  CHECK(budget.take("g", after(1min)) == 0s);
  CHECK(budget.take("h", after(1min)) == 0s);
  CHECK(budget.names() == 2);
}

TEST_CASE("a clock that goes back refills nothing and locks nobody out for long") {
  attempt_budget budget({.burst = 2, .refill = 10s});
  CHECK(budget.take("a", after(1h)) == 0s);
  CHECK(budget.take("a", after(1h)) == 0s);
  CHECK(budget.take("a", start) > 0s);
  CHECK(budget.take("a", after(1h + 10s)) == 0s);
}

TEST_CASE("a source is an IPv4 address or the network of an IPv6 address") {
  CHECK(source_of("192.0.2.7") == "192.0.2.7");
  CHECK(source_of("2001:db8:1:2:3:4:5:6") == "2001:db8:1:2:/64");
  CHECK(source_of("2001:db8:1:2:ffff::9") == source_of("2001:db8:1:2::"));
  CHECK(source_of("2001:db8::1") == "2001:db8:0:0:/64");
  CHECK(source_of("2001:db8::1") == source_of("2001:db8::2:0:0:9"));
  CHECK(source_of("2001:db8::1") != source_of("2001:db8:0:1::1"));
  CHECK(source_of("2001:db8::5:6:7:8:9") == "2001:db8:0:5:/64");
  CHECK(source_of("::1") == "0:0:0:0:/64");
  CHECK(source_of("::") == "0:0:0:0:/64");
  CHECK(source_of("fe80::1%eth0") == "fe80:0:0:0:/64");
}
