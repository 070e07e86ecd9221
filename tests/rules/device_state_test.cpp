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
  CHECK(state({true, true, true, true, started, period}, started) == device_state::revoked);
  CHECK(state({false, true, true, true, 0, period}, started) == device_state::connected);
}

TEST_CASE("a device that was never heard of is never, however long ago it enrolled") {
  const auto late = started + 100 * period;
  CHECK(state({false, false, false, false, 0, period}, late) == device_state::never);
}

TEST_CASE("a device that told us that it goes is off, however long, and whether seen or not") {
  const auto late = started + 1000 * period;
  CHECK(state({false, false, true, true, started, period}, late) == device_state::off);
  CHECK(state({false, false, false, true, started - 1, period}, started) == device_state::off);
}

TEST_CASE("three periods without contact are idle, a moment more is silent") {
  const device_signs signs{false, false, true, false, started + period, period};
  CHECK(state(signs, started + 4 * period) == device_state::idle);
  CHECK(state(signs, started + 4 * period + 1) == device_state::silent);
}

TEST_CASE("who was not seen since the start is unknown for three periods, then silent, whenever the "
          "last contact was") {
  // Long ago, just not and just late when the server started or later, and the moment before.
  for (const auto ago : {10 * period, 3 * period + 1, 3 * period, 3 * period - 1, period,
                         std::int64_t{1}, std::int64_t{0}}) {
    const device_signs signs{false, false, false, false, started - ago, period};
    CHECK(state(signs, started) == device_state::unknown);
    CHECK(state(signs, started + 3 * period) == device_state::unknown);
    CHECK(state(signs, started + 3 * period + 1) == device_state::silent);
  }
}

TEST_CASE("no moment after a start calls a device silent that comes within its three periods") {
  for (std::int64_t seen_at = 0; seen_at <= 3 * period; seen_at += period / 8) {
    for (std::int64_t at = 0; at <= 3 * period; at += period / 8) {
      const bool seen = at >= seen_at;
      const device_signs signs{false, false, seen, false, seen ? started + seen_at : started - period,
                               period};
      CHECK(state(signs, started + at) == (seen ? device_state::idle : device_state::unknown));
    }
  }
}

TEST_CASE("a clock that was set back makes nobody silent who was seen") {
  CHECK(state({false, false, true, false, started, period}, started - 100 * period)
        == device_state::idle);
}

TEST_CASE("every state has a name of its own and is found by it") {
  for (std::size_t i = 0; i < device_states; ++i) {
    const auto s = static_cast<device_state>(i);
    CHECK(device_state_of(name_of(s)) == s);
  }
  CHECK_FALSE(device_state_of("asleep"));
}
