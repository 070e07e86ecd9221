// Passwords are hashed one after the other, and who is too many is told so.

#include "actors/server/password_hasher.hpp"
#include "actors/errc.hpp"
#include "tests/actor_world.hpp"

#include <doctest/doctest.h>

#include <string>
#include <vector>

using namespace muster;
using namespace muster::actors;

namespace {

struct work_done {
  std::vector<std::string> done;
};

struct world : work_done, test::actor_world {
  password_hasher_actor hasher = host(
    password_hasher,
    password_hasher_options{.queue_max = 2,
                            .hash =
                              [this](std::string_view password) {
                                done.emplace_back(password);
                                return "hashed " + std::string{password};
                              },
                            .verify =
                              [this](std::string_view password, std::string_view record) {
                                done.emplace_back(password);
                                return record == "hashed " + std::string{password};
                              }});
};

} // namespace

TEST_CASE_FIXTURE(world, "a hasher hashes, and verifies what it hashed") {
  CHECK(ask<std::string>(hasher, atom::hash_v, std::string("a")) == "hashed a");
  CHECK(ask<bool>(hasher, atom::verify_v, std::string("a"), std::string("hashed a")));
  CHECK_FALSE(ask<bool>(hasher, atom::verify_v, std::string("b"), std::string("hashed a")));
  CHECK(ask<std::string>(hasher, atom::status_v) == "3 hashed, 0 refused, 0 waiting");
}

TEST_CASE_FIXTURE(world, "a hasher with a full queue refuses at once and works off the rest") {
  auto first = begin_ask(hasher, atom::hash_v, std::string("a"));
  auto second = begin_ask(hasher, atom::hash_v, std::string("b"));
  auto third = begin_ask(hasher, atom::hash_v, std::string("c"));
  settle();
  CHECK(take<std::string>(first) == std::string("hashed a"));
  CHECK(take<std::string>(second) == std::string("hashed b"));
  const auto refused = take<std::string>(third);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code() == static_cast<std::uint8_t>(actors::errc::overloaded));
  CHECK(done == std::vector<std::string>{"a", "b"});
  CHECK(ask<std::string>(hasher, atom::hash_v, std::string("d")) == "hashed d");
}

TEST_CASE_FIXTURE(world, "who waits when the hasher ends gets an error") {
  auto waiting = begin_ask(hasher, atom::hash_v, std::string("a"));
  sched.run_once(); // queued; the work itself is a message behind it
  caf::anon_send<caf::message_priority::high>(caf::actor_cast<caf::actor>(hasher),
                                              caf::exit_msg{caf::actor_addr{},
                                                            caf::exit_reason::user_shutdown});
  settle();
  CHECK_FALSE(take<std::string>(waiting));
  CHECK(done.empty());
}
