#include "net/accept_gate.hpp"

#include <doctest/doctest.h>

#include <cerrno>

using namespace muster::net;
using namespace std::chrono_literals;

TEST_CASE("a rate allows a burst of one second and then so many a second") {
  accept_rate rate(10);
  auto now = std::chrono::steady_clock::time_point{} + 1h;
  for (int i = 0; i < 10; ++i)
    CHECK(rate.take(now) == 0ms);
  CHECK(rate.take(now) == 100ms);
  now += 50ms;
  CHECK(rate.take(now) == 50ms);
  now += 50ms;
  CHECK(rate.take(now) == 0ms);
  CHECK(rate.take(now) > 0ms);
  now += 1h; // a long pause saves up one second's worth, not more
  int taken = 0;
  while (rate.take(now) == 0ms)
    ++taken;
  CHECK(taken == 10);
}

TEST_CASE("a token that found nobody is not lost") {
  accept_rate rate(1);
  const auto now = std::chrono::steady_clock::time_point{} + 1h;
  CHECK(rate.take(now) == 0ms);
  rate.give_back();
  CHECK(rate.take(now) == 0ms);
  CHECK(rate.take(now) > 0ms);
}

TEST_CASE("without a rate nobody waits") {
  accept_rate rate(0);
  for (int i = 0; i < 1000; ++i)
    CHECK(rate.take() == 0ms);
}

TEST_CASE("only an error of the listening socket itself breaks it") {
  CHECK(accept_failure_of(EAGAIN) == accept_failure::nothing_there);
  CHECK(accept_failure_of(ECONNABORTED) == accept_failure::peer_gone);
  CHECK(accept_failure_of(EMFILE) == accept_failure::exhausted);
  CHECK(accept_failure_of(ENFILE) == accept_failure::exhausted);
  CHECK(accept_failure_of(EINVAL) == accept_failure::socket_broken);
  CHECK(accept_failure_of(EBADF) == accept_failure::socket_broken);
}
