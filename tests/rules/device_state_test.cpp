#include "actors/rules/device_state.hpp"

#include <doctest/doctest.h>

using namespace muster::rules;

namespace {

constexpr std::int64_t minute = 60'000'000;
constexpr std::int64_t period = 15 * minute;
constexpr std::int64_t started = 1'000'000 * minute;

device_state state(const device_signs& signs, std::int64_t now) {
  return state_of(signs, now, started);
}

} // namespace

TEST_CASE("revoked comes before everything, a session before the clock") {
  CHECK(state({true, true, started, period}, started) == device_state::revoked);
  CHECK(state({false, true, 0, period}, started) == device_state::connected);
}

TEST_CASE("a device that was never heard of is never, however long ago it enrolled") {
  CHECK(state({false, false, 0, period}, started + 100 * period) == device_state::never);
}

TEST_CASE("three periods without contact are idle, a moment more is silent") {
  const device_signs signs{false, false, started + period, period};
  CHECK(state(signs, started + 4 * period) == device_state::idle);
  CHECK(state(signs, started + 4 * period + 1) == device_state::silent);
}

TEST_CASE("what the server missed while it was away is unknown for three periods, then silent") {
  const device_signs signs{false, false, started - 10 * period, period};
  CHECK(state(signs, started) == device_state::unknown);
  CHECK(state(signs, started + 3 * period) == device_state::unknown);
  CHECK(state(signs, started + 3 * period + 1) == device_state::silent);
}

TEST_CASE("every state has a name of its own and is found by it") {
  for (std::size_t i = 0; i < device_states; ++i) {
    const auto s = static_cast<device_state>(i);
    CHECK(device_state_of(name_of(s)) == s);
  }
  CHECK_FALSE(device_state_of("asleep"));
}
