// The world in which all other actor tests happen, itself.

#include "tests/actor_world.hpp"

#include "actors/protocol.hpp"

#include <doctest/doctest.h>

#include <chrono>
#include <string>

using namespace muster;
using namespace std::chrono_literals;

namespace {

using echo_actor = actors::join<caf::typed_actor<caf::reacts_to<atom::tick>>, actors::observable>;

/// Answers, or fails; arms a timer with each answer.
echo_actor::behavior_type echo(echo_actor::pointer self, const std::string& text) {
  return {
    [](atom::tick) {},
    [self, text](atom::status) -> caf::result<std::string> {
      if (text.empty())
        return actors::make_error(actors::errc::invalid, "nothing to say");
      self->delayed_send(self, 1s, atom::tick_v);
      return text;
    },
  };
}

} // namespace

TEST_CASE_FIXTURE(test::actor_world, "a world answers requests, errors included") {
  const auto loud = host(echo, std::string("hello"));
  const auto mute = host(echo, std::string());
  CHECK(ask<std::string>(loud, atom::status_v) == "hello");
  const auto answer = try_ask<std::string>(mute, atom::status_v);
  REQUIRE_FALSE(answer);
  CHECK(actors::text_of(answer.error()) == "nothing to say");
}

TEST_CASE_FIXTURE(test::actor_world, "a world knows who lives and who has stopped") {
  const auto one = host(echo, std::string("hello"));
  CHECK(alive(one));
  stop(one);
  CHECK_FALSE(alive(one));
}

TEST_CASE_FIXTURE(test::actor_world, "time passes only when told") {
  const auto one = host(echo, std::string("hello"));
  CHECK(ask<std::string>(one, atom::status_v) == "hello");
  CHECK(settle() == 0);
  CHECK(pass(999ms) == 0);
  CHECK(pass(1ms) > 0);
}
