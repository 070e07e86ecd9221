#include "apps/common/until_stopped.hpp"

#include <doctest/doctest.h>

#include <caf/actor_system_config.hpp>

#include <csignal>
#include <sys/types.h>
#include <unistd.h>

namespace {

struct program {
  muster::stop_signals signals; ///< before any thread
  caf::actor_system_config cfg;
  caf::actor_system system{cfg};
};

caf::behavior ends_when_told(caf::event_based_actor* self) {
  return {[self](int) { self->quit(caf::exit_reason::out_of_workers); }};
}

} // namespace

TEST_CASE_FIXTURE(program, "a root that ends by itself ends the wait, with its reason") {
  auto root = system.spawn(ends_when_told);
  caf::anon_send(root, 1);
  const auto reason = muster::until_stopped(system, std::move(root), signals);
  CHECK(reason == caf::exit_reason::out_of_workers);
  CHECK_FALSE(muster::is_orderly(reason));
}

TEST_CASE_FIXTURE(program, "SIGTERM asks the root to stop") {
  auto root = system.spawn(ends_when_told);
  ::kill(::getpid(), SIGTERM);
  CHECK(muster::is_orderly(muster::until_stopped(system, std::move(root), signals)));
}
